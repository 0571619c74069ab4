// The sentences that terminals say.
import { sentences } from "../js/words.js";

export const say = sentences("[data-terminal-words]");
