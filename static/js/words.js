// The sentences that scripts say, translated by the server: data- attributes of a <template>.

/** Give a function that says a sentence of a template by its key, with each %s filled in turn. */
export function sentences(selector) {
  const words = document.querySelector(selector)?.dataset ?? {};
  // A function, for in a string `$&` would have a meaning, and a host may have any name.
  return (key, ...values) => values.reduce((text, value) => text.replace("%s", () => value), words[key] || key);
}

/** Say one of those that every page has. */
export const say = sentences("template[data-words]");

export const locale = document.documentElement.lang || "en";
