// Variables in linear memory. An interpreter on a board keeps a record of 32 bytes for each global variable; a word of memory does for the module
// just as well, at some instructions for each access. What is used most stays global.

/** @typedef {import('./wat.js').Node} Node */

/** @param {Node | undefined} node @returns {node is Node[]} */
const isList = (node) => Array.isArray(node);

/**
 * Moves the variables that the text uses fewer than `least` times behind the static memory, which memory_bytes() then includes. In place.
 * @param {Node[]} module @param {number} least
 */
export function moveGlobals(module, least) {
  const uses = new Map();
  visit(module, (node) => {
    if (node[0] === 'global.get' || node[0] === 'global.set') uses.set(node[1], (uses.get(node[1]) ?? 0) + 1);
  });
  const size = memoryBytes(module);
  let end = (Number(size[1]) + 3) & ~3;
  const addresses = new Map();
  for (const global of module
    .filter(isList)
    .filter(({ 0: kind, 2: type }) => kind === 'global' && isList(type) && type[0] === 'mut' && type[1] === 'i32')) {
    const [, name, , value] = global;
    if ((uses.get(name) ?? 0) >= least) continue;
    addresses.set(name, end);
    const initial = isList(value) ? Number(value[1]) : 0;
    if (initial) module.push(['data', ['i32.const', String(end)], bytesOf(initial)]);
    end += 4;
    module.splice(module.indexOf(global), 1);
  }
  size[1] = String(end);
  visit(module, (node) => {
    const [kind, name, value] = node;
    if ((kind !== 'global.get' && kind !== 'global.set') || !addresses.has(name)) return;
    const address = ['i32.const', String(addresses.get(name))];
    node.splice(0, node.length, ...(kind === 'global.get' ? ['i32.load', address] : ['i32.store', address, value ?? []]));
  });
}

/** An address that is known becomes the offset of an access to 0: an interpreter keeps each constant of a function once more. @param {Node[]} module */
export function foldAddresses(module) {
  visit(module, (node) => {
    if (!/^i32\.(load|store)/.test(String(node[0]))) return;
    const at = node.findIndex(isList);
    const address = node[at];
    if (!isList(address) || address[0] !== 'i32.const') return;
    const given = node.find((word) => typeof word === 'string' && word.startsWith('offset='));
    const offset = Number(address[1]) + (given ? Number(String(given).slice('offset='.length)) : 0);
    const rest = node.slice(1).filter((word) => word !== given && word !== address);
    const words = rest.filter((word) => !isList(word));
    node.splice(0, node.length, node[0] ?? '', `offset=${offset}`, ...words, ['i32.const', '0'], ...rest.filter(isList));
  });
}

/** What the export memory_bytes answers: its constant. @param {Node[]} module */
function memoryBytes(module) {
  const exported = module.find((node) => isList(node) && node[0] === 'export' && node[1] === '"memory_bytes"');
  const name = isList(exported) && isList(exported[2]) ? exported[2][1] : undefined;
  const body = module.find((node) => isList(node) && node[0] === 'func' && node[1] === name)?.at(-1);
  if (!isList(body) || body[0] !== 'i32.const') throw new Error('memory_bytes does not answer a constant');
  return body;
}

/** A word as the text format has it, the lowest byte first. @param {number} word */
function bytesOf(word) {
  const bytes = [0, 8, 16, 24].map((shift) => ((word >> shift) & 255).toString(16).padStart(2, '0'));
  return `"${bytes.map((byte) => `\\${byte}`).join('')}"`;
}

/** @param {Node[]} list @param {(list: Node[]) => void} visitor */
function visit(list, visitor) {
  for (const child of list) if (isList(child)) visit(child, visitor);
  visitor(list);
}
