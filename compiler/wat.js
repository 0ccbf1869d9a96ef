// A module in WebAssembly's text format, as nested lists: what is rewritten here is simpler to say of them than of the compiler's tree.

/** @typedef {string | Node[]} Node */

/** @param {string} text @returns {Node[]} the module */
export function parseWat(text) {
  /** @type {Node[][]} */
  const open = [[]];
  for (const [token] of text.matchAll(/;;[^\n]*|"(?:[^"\\]|\\.)*"|[()]|[^\s()"]+/g)) {
    if (token.startsWith(';;')) continue;
    if (token === '(') open.push([]);
    else if (token === ')') {
      const list = open.pop() ?? [];
      open.at(-1)?.push(list);
    } else open.at(-1)?.push(token);
  }
  const [module] = open[0] ?? [];
  if (open.length !== 1 || !Array.isArray(module)) throw new Error('this is no module in text form');
  return module;
}

/** @param {Node} node @returns {string} */
export function printWat(node) {
  return Array.isArray(node) ? `(${node.map(printWat).join(' ')})` : node;
}

/** What a list is: its first word. @param {Node | undefined} node */
export function kindOf(node) {
  return Array.isArray(node) ? node[0] : undefined;
}
