// Files that a person chose or dropped, each with the folders it stood in: [{ file, folders: ["a", "b"] }], and empty folders.

/** Take what an input holds; of a chosen folder the names of the folders come along. */
export function picked(files) {
  return [...files].map((file) => {
    const parts = file.webkitRelativePath ? file.webkitRelativePath.split("/") : [file.name];
    return { file, folders: parts.slice(0, -1) };
  });
}

const fileOf = (entry) => new Promise((give, fail) => { entry.file(give, fail); });
const some = (reader) => new Promise((give, fail) => { reader.readEntries(give, fail); });

async function walk(entry, folders, found) {
  if (entry.isFile) {
    found.push({ file: await fileOf(entry), folders });
    return;
  }
  const below = [...folders, entry.name];
  const reader = entry.createReader();
  let count = 0;
  // A reader gives some at a time, and none at the end.
  for (let part = await some(reader); part.length; part = await some(reader)) {
    count += part.length;
    for (const each of part) await walk(each, below, found);
  }
  if (!count) found.push({ file: null, folders: below });
}

/** Take what was dropped, folders with all that is in them. */
export async function dropped(transfer) {
  // Read at once: after the event the list is empty.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return picked(transfer.files);
  const found = [];
  for (const entry of entries) await walk(entry, [], found);
  return found;
}
