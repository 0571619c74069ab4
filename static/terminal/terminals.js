// The page of terminals: comes back to those that were open before a reload, opens what it was asked for, or asks.
import { heldBefore } from "./kept.js";
import { Opening } from "./opening.js";
import { Room } from "./room.js";

const root = document.querySelector("[data-terminals]");
const config = JSON.parse(document.getElementById("terminal-config").textContent);
const room = new Room(root, config);
const opening = new Opening(room, root.querySelector("[data-opening]"));
const held = heldBefore();

if (config.join) config.join.forEach((session) => room.resume(session));
else if (held.length) {
  if (held.length > 1) room.view.toggleSplit(true);
  held.forEach((session) => room.resume(session));
} else if (config.auto) opening.open(config.hosts);
else opening.show(config.hosts);

// For tests, and for whoever looks into a page that behaves oddly.
window.adminsetTerminals = room;
