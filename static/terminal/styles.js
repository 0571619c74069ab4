// Lets xterm.js draw under our Content-Security-Policy: no <style> element and no style attribute ever reaches the page.
//
// xterm makes <style> elements for colours and sizes, and style attributes for true colour; the policy refuses both and gives no
// nonce, which would open the door for everything else on the page as well. What scripts set through the CSSOM it allows: so for the moment in
// which a terminal opens, its <style> elements are stand-ins that fill a constructed style sheet, and a style attribute of a <span>
// is set as that span's style. (The WebGL renderer would spare the second, not the first, and a page has 16 of its contexts.)

const plain = Document.prototype.createElement;

/** Do what makes <style> elements (`terminal.open`), with stand-ins for them. */
export function withSheets(open) {
  document.createElement = (name, options) => (name === "style" ? standIn() : plain.call(document, name, options));
  try {
    return open();
  } finally {
    delete document.createElement;
  }
}

/** An element without effect whose text is the rules of a sheet of the document. */
function standIn() {
  const sheet = new CSSStyleSheet();
  const element = plain.call(document, "template");
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  Object.defineProperty(element, "textContent", { set: (rules) => sheet.replaceSync(rules) });
  element.remove = () => {
    document.adoptedStyleSheets = document.adoptedStyleSheets.filter((each) => each !== sheet);
    Element.prototype.remove.call(element);
  };
  return element;
}

HTMLSpanElement.prototype.setAttribute = function setAttribute(name, value) {
  if (name === "style") this.style.cssText = value;
  else Element.prototype.setAttribute.call(this, name, value);
};
