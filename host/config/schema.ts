// Values against the schemas of boards/. What ajv finds becomes sentences, and the values at fault are taken out, so that the checks behind can rely
// on what is left.

import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { anyOf, type Faults, nearest, type Path } from './faults.js';
import type { Json } from './json.js';

// This file runs as build/js/host/config/schema.js.
export const boardsDirectory = new URL('../../../../boards/', import.meta.url);

export type SchemaName = 'board' | 'config' | 'settings';

/** The text of boards/NAME.schema.json. */
export function schemaText(name: SchemaName): string {
  return readFileSync(new URL(`${name}.schema.json`, boardsDirectory), 'utf8');
}

const validators = new Map<SchemaName, ValidateFunction>();

function validatorOf(name: SchemaName): ValidateFunction {
  const known = validators.get(name);
  if (known) return known;
  const ajv = new Ajv({ allErrors: true, discriminator: true, verbose: true });
  if (name === 'config') ajv.addSchema(JSON.parse(schemaText('settings')) as object);
  const validator = ajv.compile(JSON.parse(schemaText(name)) as object);
  validators.set(name, validator);
  return validator;
}

export interface SchemaOptions {
  /** Whether the value there must not be shown. */
  isSecret?: (path: Path) => boolean;
  /** Whether the value there is at fault already. */
  isKnown?: (path: Path) => boolean;
}

/** Adds to `faults` what of `value` is not as the schema says, and takes it out of `value`. Answers the paths of what it took. */
export function checkSchema(name: SchemaName, value: Json, faults: Faults, { isSecret, isKnown }: SchemaOptions = {}): readonly Path[] {
  const validate = validatorOf(name);
  if (validate(value)) return [];
  const wrong: Path[] = [];
  for (const error of worthTelling(validate.errors ?? [])) {
    const path = pathOf(error, value);
    if (!isKnown?.(path)) faults.add(path, sentence(error, isSecret?.(path) ?? false));
    if (error.keyword !== 'required') wrong.push(path);
  }
  for (const path of wrong) takeOut(value, path);
  return wrong;
}

/**
 * Where a value may be of several forms (oneOf), ajv complains of each form and of all together. Told is what the form lacks that the value has the type
 * of, or, when it has that of none, that it fits none.
 */
function worthTelling(errors: readonly ErrorObject[]): ErrorObject[] {
  const several = errors.filter(({ keyword }) => keyword === 'oneOf').sort((a, b) => b.instancePath.length - a.instancePath.length);
  const told = errors.filter(
    ({ keyword, instancePath, propertyName, params }) =>
      keyword !== 'oneOf' &&
      propertyName === undefined &&
      !(keyword === 'discriminator' && params.tagValue === undefined) && // it is missing, and `required` says so
      !((keyword === 'type' || keyword === 'const') && several.some((other) => other.instancePath === instancePath)),
  );
  for (const one of several) if (!told.some(({ instancePath }) => `${instancePath}/`.startsWith(`${one.instancePath}/`))) told.push(one);
  return told;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where it stands: of a key that should not be there, the key itself; of one that is missing, where it would be. */
function pathOf(error: ErrorObject, root: Json): Path {
  const path: (string | number)[] = [];
  let value: Json | undefined = root;
  for (const part of error.instancePath.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = Array.isArray(value) ? value[Number(key)] : isObject(value) ? value[key] : undefined;
  }
  const { additionalProperty, missingProperty, propertyName, tag } = error.params as Record<string, string | undefined>;
  const own = error.keyword === 'discriminator' ? tag : (additionalProperty ?? missingProperty ?? propertyName);
  return own === undefined ? path : [...path, own];
}

/** Removes what stands at `path`; an element of a list becomes null, so that the others keep their places. */
export function takeOut(root: Json, path: Path): void {
  let holder: Json | undefined = root;
  for (const key of path.slice(0, -1)) {
    if (Array.isArray(holder) && typeof key === 'number') holder = holder[key];
    else holder = isObject(holder) && Object.hasOwn(holder, key) ? holder[key] : undefined;
  }
  const last = path.at(-1);
  if (Array.isArray(holder) && typeof last === 'number') holder[last] = null;
  else if (isObject(holder) && last !== undefined) delete holder[last];
}

interface Parent {
  description?: string;
  minimum?: number;
  maximum?: number;
  examples?: unknown[];
  properties?: Record<string, Parent>;
  discriminator?: { propertyName: string };
  oneOf?: { $ref: string }[];
}

function sentence(error: ErrorObject, secret: boolean): string {
  const parent = (error.parentSchema ?? {}) as Parent;
  const shown = secret ? '…' : short(error.keyword === 'discriminator' ? error.params.tagValue : error.data);
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(String(error.params.additionalProperty), Object.keys(parent.properties ?? {}));
    case 'propertyNames':
      return 'no such key: its form is another; see the schema';
    case 'required':
      return `is missing; add it${hint(parent, String(error.params.missingProperty))}`;
    case 'discriminator':
      return unknownTag(error, parent, shown);
    case 'type':
      return `${kindOf(error.data)} stands there; write ${kinds[String(error.params.type)] ?? String(error.params.type)}`;
    case 'oneOf':
      return `${kindOf(error.data)} stands there; write ${firstSentence(parent.description ?? 'another')}`;
    case 'enum':
      return `${shown} is none of its values; write ${anyOf((error.schema as unknown[]).map((one) => JSON.stringify(one)))}`;
    case 'minimum':
    case 'maximum':
      return `${shown} is outside ${parent.minimum} to ${parent.maximum}${/ in (ms|Hz|K|Ω|MB)\b/.exec(parent.description ?? '')?.[0].replace(' in', '') ?? ''}; choose a number within`;
    case 'minLength':
      return 'is empty; write a text, or leave the key out';
    case 'pattern':
      return `${shown} is not of its form; write ${firstSentence(parent.description ?? String(error.schema))}`;
    case 'minItems':
      return 'is empty; one is needed at least';
    case 'maxItems':
      return `has ${(error.data as unknown[]).length}; there may be ${String(error.schema)} at most`;
    case 'uniqueItems':
      return 'has an element twice; remove one';
    default:
      return `${error.message ?? 'does not fit'}; see the schema`;
  }
}

/** The sentence for a key that is not there, `names` being those that are. */
function unknownKey(key: string, names: readonly string[]): string {
  const known = names.filter((name) => name !== '$schema');
  const near = nearest(key, known);
  return near === undefined ? `no such key; the keys here are ${known.join(', ')}` : `no such key; did you mean "${near}"?`;
}

/** What a missing key is, as far as the schema says it in place. */
function hint({ properties, oneOf, discriminator }: Parent, key: string): string {
  if (discriminator?.propertyName === key) return `: ${anyOf(branches(oneOf))}`;
  const description = properties?.[key]?.description;
  return description === undefined ? '' : `: ${firstSentence(description)}`;
}

const branches = (oneOf: Parent['oneOf'] = []): string[] => oneOf.map(({ $ref }) => $ref.slice($ref.lastIndexOf('/') + 1));

function unknownTag(error: ErrorObject, { oneOf }: Parent, shown: string): string {
  const names = branches(oneOf);
  const given: unknown = error.params.tagValue;
  const near = typeof given === 'string' ? nearest(given, names) : undefined;
  return `${shown} is no ${String(error.params.tag)}; ${near === undefined ? `write one of ${names.join(', ')}` : `did you mean "${near}"?`}`;
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text in double quotes',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object, { … }',
  array: 'a list, [ … ]',
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : 'a fraction';
  return { string: 'a text', boolean: 'true or false', object: 'an object' }[typeof value as string] ?? 'something else';
}

/** A value as it may stand in a sentence. */
function short(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** The beginning of a description, to go on with. */
function firstSentence(text: string): string {
  const end = text.search(/[.;] |\.$/);
  const first = end < 0 ? text : text.slice(0, end);
  return /^[A-Z][a-z ]/.test(first) ? first.charAt(0).toLowerCase() + first.slice(1) : first;
}
