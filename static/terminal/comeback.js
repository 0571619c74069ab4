// The way back to a terminal whose page or network was gone: a new ticket, a little later each time, as long as the shell is kept.
import { ask } from "../js/portal.js";
import { say } from "./words.js";

const WAITS = [0, 0.3, 1, 2, 4, 5];
// Who is signed out, may not, or finds it gone need not try again.
const HOPELESS = new Set([401, 403, 404]);

/** Wait; when the network comes back, no longer. */
function pause(seconds) {
  return new Promise((go) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      go();
    };
    const timer = setTimeout(end, seconds * 1000);
    addEventListener("online", end);
  });
}

/** Connect a link again; it counts its `tries` since it was `lostAt`, and begins anew once it is welcomed. */
export async function comeBack(link) {
  link.lostAt ||= Date.now();
  while (!link.ended) {
    const left = link.away - (Date.now() - link.lostAt) / 1000;
    if (left < 0) return link.end(say("away", link.away));
    if (link.flow.received === null) link.state("connecting", say("connecting"));
    else link.state("lost", say(link.restarts ? "restarts" : "lost", Math.ceil(left)));
    await pause(WAITS[Math.min(link.tries, WAITS.length - 1)]);
    link.tries += 1;
    try {
      const { ticket } = await ask(link.session.ticket_url, { form: new FormData(), automatic: true });
      return link.ended ? undefined : link.connect(ticket);
    } catch (refusal) {
      if (HOPELESS.has(refusal.status)) return link.end(refusal.words);
    }
  }
  return undefined;
}
