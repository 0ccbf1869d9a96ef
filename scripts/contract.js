// Makes the C header and the TypeScript constants from assembly/contract.ts, the one place where the boundary's numbers are defined.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const source = new URL('assembly/contract.ts', root);

/** @typedef {{ name: string, value: number, comment: string }} Constant */

/** @returns {Constant[]} */
export function readConstants() {
  const text = readFileSync(source, 'utf8');
  const constants = [...text.matchAll(/\/\*\* (.+) \*\/\nexport const ([A-Z0-9_]+): i32 = (-?\d+);/g)].map(([, comment, name, value]) => ({
    name: name ?? '',
    value: Number(value),
    comment: comment ?? '',
  }));
  const declared = text.match(/^export /gm)?.length ?? 0;
  if (constants.length !== declared) {
    throw new Error(
      `assembly/contract.ts: ${declared - constants.length} of ${declared} exports are not '/** … */ export const NAME: i32 = number;'`,
    );
  }
  return constants;
}

/** @param {Constant[]} constants @param {string} prefix the part of the name before the first underscore */
function named(constants, prefix) {
  return constants
    .filter(({ name }) => name.startsWith(`${prefix}_`))
    .map(({ name, value }) => ({ name: name.slice(prefix.length + 1).toLowerCase(), value }));
}

const families = ['LINK', 'REASON', 'ERROR', 'TIMEOUT', 'STORE', 'BUS', 'FAULT', 'RECORD', 'EVENT', 'CONFIG'];

/** @param {Constant[]} constants */
function typescript(constants) {
  const lines = ['// Made from assembly/contract.ts by scripts/contract.js; do not edit.', ''];
  for (const { name, value, comment } of constants) lines.push(`/** ${comment} */`, `export const ${name} = ${value};`);
  for (const family of families) {
    const title = family[0] + family.slice(1).toLowerCase();
    lines.push('', `/** The names of ${family}_…, in lower case without the prefix, by number. */`);
    lines.push(`export const ${title.toLowerCase()}Names: Readonly<Record<number, string>> = {`);
    for (const { name, value } of named(constants, family)) lines.push(`  ${value}: '${name}',`);
    lines.push('};');
  }
  return `${lines.join('\n')}\n`;
}

/** @param {Constant[]} constants */
function header(constants) {
  const lines = [
    '/* Made from assembly/contract.ts by scripts/contract.js; do not edit. */',
    '#ifndef TWOBYTE_CONTRACT_H',
    '#define TWOBYTE_CONTRACT_H',
    '',
  ];
  for (const { name, value, comment } of constants) lines.push(`/* ${comment} */`, `#define ${name} ${value < 0 ? `(${value})` : value}`);
  for (const family of families) {
    const entries = named(constants, family);
    lines.push('', `/* The names of ${family}_..., in lower case without the prefix: X(number, "name") for each. */`);
    lines.push(`#define ${family}_NAMES(X) \\`);
    lines.push(entries.map(({ name, value }) => `    X(${value}, "${name}")`).join(' \\\n'));
  }
  lines.push('', '#endif');
  return `${lines.join('\n')}\n`;
}

/** What each generated file should hold, by its path from the repository's root. */
export function generated() {
  const constants = readConstants();
  return { 'host/contract.ts': typescript(constants), 'firmware/shell/contract.h': header(constants) };
}

export function writeContract() {
  writeGenerated(generated());
}

/** Writes the files that are not already so, and makes their directories. @param {Record<string, string>} files texts by path from the repository's root */
export function writeGenerated(files) {
  for (const [path, text] of Object.entries(files)) {
    const file = new URL(path, root);
    mkdirSync(new URL('.', file), { recursive: true });
    let present = '';
    try {
      present = readFileSync(file, 'utf8');
    } catch {
      // The first time there is none.
    }
    if (present !== text) writeFileSync(file, text);
  }
}
