// `a && b` and `a || b` as branches. The compiler makes them values, by `if` with a result: an interpreter then copies 0 or 1 to a slot, jumps and
// asks again. Where the value only decides where to go on, each part branches there by itself: less translated code, and fewer instructions.

import { kindOf } from './wat.js';

/** @typedef {import('./wat.js').Node} Node */

/** Lists in which each element is a statement, but for words and what is declared. */
const BODIES = new Set(['func', 'block', 'loop', 'then', 'else']);
const OPPOSITES = ['eq ne', 'lt_s ge_s', 'lt_u ge_u', 'gt_s le_s', 'gt_u le_u'].flatMap((pair) => {
  const [one, other] = pair.split(' ').map((name) => `i32.${name}`);
  return /** @type {[string, string][]} */ ([
    [one, other],
    [other, one],
  ]);
});
const opposites = new Map(OPPOSITES);

let labels = 0;

/** Rewrites the conditions of the module in place. @param {Node[]} module */
export function branchOnConditions(module) {
  labels = 0;
  rewrite(module);
}

/** @param {Node[]} list */
function rewrite(list) {
  for (const child of list) if (Array.isArray(child)) rewrite(child);
  if (!BODIES.has(String(list[0]))) return;
  list.splice(0, list.length, ...list.flatMap(statement));
}

/** @param {Node} node @returns {Node[]} */
function statement(node) {
  if (!Array.isArray(node)) return [node];
  const [kind, ...parts] = node;
  if (kind === 'br_if' && parts.length === 2) return branch(parts[1] ?? [], String(parts[0]), true);
  const [condition = [], then, otherwise] = parts;
  if (kind !== 'if' || kindOf(condition) === 'result' || !Array.isArray(then)) return [node];
  const end = label();
  if (!otherwise) return [['block', end, ...branch(condition, end, false), ...then.slice(1)]];
  if (!Array.isArray(otherwise) || !logic(withoutNot(condition)[0])) return [node];
  const elsewhere = label();
  return [
    ['block', end, ['block', elsewhere, ...branch(condition, elsewhere, false), ...then.slice(1), ['br', end]], ...otherwise.slice(1)],
  ];
}

/** Statements that go to `to` when the condition is as `sense` says, and on otherwise. @param {Node} given @param {string} to @param {boolean} sense @returns {Node[]} */
function branch(given, to, sense) {
  const [condition, isNegated] = withoutNot(given);
  const wanted = sense !== isNegated;
  const parts = logic(condition);
  if (!parts) return [['br_if', to, wanted ? condition : opposite(condition)]];
  const { isOr, first, isFirstNegated, before, second } = parts;
  const both = (/** @type {string} */ away) => [...branch(first, away, isOr !== isFirstNegated), ...before, ...branch(second, to, wanted)];
  if (isOr === wanted) return both(to);
  const past = label();
  return [['block', past, ...both(past)]];
}

/** The parts of `first || second` or `first && second`; `before` is done between them. @param {Node} node */
function logic(node) {
  const choice = choiceOf(node);
  if (!choice) return undefined;
  const { first, yes, no } = choice;
  const decided = constant(yes) !== undefined ? yes : constant(no) !== undefined ? no : undefined;
  if (!decided) return undefined;
  const other = decided === yes ? no : yes;
  const isOr = constant(decided) !== 0;
  return { isOr, first, isFirstNegated: isOr !== (decided === yes), before: other.slice(1, -1), second: other.at(-1) ?? [] };
}

/** What is chosen by which condition. @param {Node} node */
function choiceOf(node) {
  if (!Array.isArray(node)) return undefined;
  if (node[0] === 'if' && kindOf(node[1]) === 'result') {
    const [, , first, yes, no] = node;
    return first !== undefined && Array.isArray(yes) && Array.isArray(no) ? { first, yes, no } : undefined;
  }
  // Of a select all is computed, the condition last: in another order only what changes nothing.
  if (node[0] !== 'select' || !isPure(node)) return undefined;
  const [, yes = [], no = [], first = []] = node;
  return { first, yes: ['then', yes], no: ['else', no] };
}

/** Whether it only reads. @param {Node} node @returns {boolean} */
function isPure(node) {
  if (!Array.isArray(node)) return !/call|set|tee|store|memory|br/.test(node) || node.startsWith('$');
  return node.every(isPure);
}

/** The number that an arm is, if it is one. @param {Node[]} arm */
function constant(arm) {
  const value = arm.length === 2 ? arm[1] : undefined;
  return Array.isArray(value) && value[0] === 'i32.const' ? Number(value[1]) : undefined;
}

/** @param {Node} node @returns {[Node, boolean]} */
function withoutNot(node) {
  let isNegated = false;
  let inner = node;
  while (Array.isArray(inner) && inner[0] === 'i32.eqz' && inner[1] !== undefined) {
    isNegated = !isNegated;
    inner = inner[1];
  }
  return [inner, isNegated];
}

/** @param {Node} node @returns {Node} */
function opposite(node) {
  const other = Array.isArray(node) ? opposites.get(String(node[0])) : undefined;
  return other && Array.isArray(node) ? [other, ...node.slice(1)] : ['i32.eqz', node];
}

function label() {
  return `$past${labels++}`;
}
