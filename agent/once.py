"""`--once`: facts, two samples and one summary, without the spool."""

import time
from typing import Any, Dict, List

from agent import sender as http
from agent.batch import newest
from agent.clock import Clock
from agent.config import Config
from agent.daemon import known, report, sequence
from agent.errors import AgentError
from agent.sampler import Sampler
from agent.sender import Reply, Sender
from agent.wire import metrics, named_samples

GAP_SECONDS = 1.0


def once(config: Config) -> str:
    """The summary; raises AgentError when the portal did not take everything."""
    credential = known(config)
    sender = Sender(credential.server, credential.token, config)
    try:
        payload = report(credential.server, config.dmi_dir)
        facts = accepted("facts", sender.post("facts", payload))
        samples = two_samples(config)
        batch = newest(samples, len(samples), None)
        clock = Clock()
        clock.learn(facts.body.get("time"), *facts.asked)
        body = metrics(batch, clock.offset())
        answer = accepted("metrics", sender.post("metrics", body))
    finally:
        sender.close()
    stored = named_samples(answer.body)
    values = len(samples[-1]["values"])
    if len(stored) < len(samples):
        raise AgentError(
            f"The portal answered for {len(stored)} of {len(samples)} samples only."
        )
    return (
        f"facts {facts.body.get('status', 'sent')}, {len(samples)} samples of up to "
        f"{values} values stored at {credential.server}"
    )


def two_samples(config: Config) -> List[Dict[str, Any]]:
    """The first without rates, the second with them."""
    sampler, numbers = Sampler(config.network_filesystems), sequence(config)
    samples = [sampler.sample()]
    time.sleep(GAP_SECONDS)
    samples.append(sampler.sample())
    for sample in samples:
        sample.update(boot_id=numbers.boot_id, seq=numbers.next())
    return samples


def accepted(what: str, reply: Reply) -> Reply:
    if reply.action == http.STORED:
        return reply
    answer = f"with status {reply.status}" if reply.status else "not at all"
    raise AgentError(f"The portal answered to {what} {answer}: {reply.sentence}")
