// The sentences that scripts say, translated by the server: data- attributes of <template data-words>.

const source = document.querySelector("[data-words]");
const words = source ? source.dataset : {};

/** Give a sentence by its key, with each %s filled in turn. */
export function say(key, ...values) {
  let text = words[key] || key;
  for (const value of values) text = text.replace("%s", value);
  return text;
}

export const locale = document.documentElement.lang || "en";
