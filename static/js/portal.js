// Asks the portal in JSON. What it refuses comes as a Refusal with the portal's own words.
import { say } from "./words.js";

const { "x-csrftoken": token } = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}");
export const HEADERS = { Accept: "application/json", "X-CSRFToken": token };

/** A refusal: `code` for scripts, `message` and `hint` for people, `status` 0 where the portal was not reached. */
export class Refusal extends Error {
  constructor({ code = "failed", message = "", hint = "", fields = {} } = {}, status = 0) {
    super(message || code);
    Object.assign(this, { code, hint, fields, status });
  }

  get words() {
    return [this.message, this.hint].filter(Boolean).join(" ");
  }
}

/** Make a Refusal of an answer's text; one that is not ours has a sentence all the same. */
export function refusal(status, text) {
  try {
    return new Refusal(JSON.parse(text).error, status);
  } catch {
    return new Refusal({ message: say("failed", status) }, status);
  }
}

/** Send a form, or a value as JSON, or nothing (GET), and give the answer; `automatic`: nobody did anything, so it keeps no session alive. */
export async function ask(address, { form, json, automatic = false } = {}) {
  const headers = { ...HEADERS, ...(json && { "Content-Type": "application/json" }), ...(automatic && { "X-Automatic": "1" }) };
  const body = form ?? (json && JSON.stringify(json));
  let answer;
  let text;
  try {
    answer = await fetch(address, { method: body ? "POST" : "GET", body, headers });
    text = await answer.text();
  } catch {
    throw new Refusal({ code: "unreachable", message: say("unreachable") });
  }
  if (!answer.ok) throw refusal(answer.status, text);
  try {
    return JSON.parse(text);
  } catch {
    // A page, such as the one to sign in on: no answer to what was asked.
    throw refusal(answer.status, text);
  }
}
