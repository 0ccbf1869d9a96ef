import type { Message } from '../messages.js';
import { conversionLetters, strftime } from './strftime.js';

// What `sub` prints for a message: the same bytes as mosquitto_sub, its -F language included. The parameters of MQTT 5 are accepted and are
// empty, as they are there with MQTT 3.1.1.

/** The bytes to print for a message. A fault of the message is told to `complain` and leaves its place empty. */
export type Formatter = (message: Message, time: Date, complain: (fault: string) => void) => Buffer;

type Piece = (message: Message, time: Date, complain: (fault: string) => void) => string | Buffer;

/** Flags and widths between % and the letter. Widths count bytes. */
interface Field {
  left: boolean;
  zero: boolean;
  width: number;
  /** The most bytes of a text, or undefined. */
  most: number | undefined;
}

/** A format that cannot be used; its message says where. */
export class FormatError extends Error {}

const END_OF_LINE = Buffer.from('\n');
const NOTHING = Buffer.alloc(0);
const escapes: Readonly<Record<string, string>> = { '\\': '\\', 0: '\0', a: '\x07', e: '\x1b', n: '\n', r: '\r', t: '\t', v: '\v' };

/** Payload alone; an empty one prints nothing. */
export function payloadFormat(endOfLine: boolean): Formatter {
  return ({ payload }) => (payload.length === 0 ? NOTHING : endOfLine ? Buffer.concat([payload, END_OF_LINE]) : payload);
}

/** Topic and payload; without ends of line an empty payload prints nothing. */
export function verboseFormat(endOfLine: boolean): Formatter {
  return ({ topic, payload }) => {
    if (payload.length === 0) return endOfLine ? Buffer.from(`${topic} (null)\n`) : NOTHING;
    return Buffer.concat([Buffer.from(`${topic} `), payload, endOfLine ? END_OF_LINE : NOTHING]);
  };
}

/** The language of -F. Throws a FormatError. */
export function customFormat(format: string, endOfLine: boolean): Formatter {
  const pieces = parse(format);
  if (endOfLine) pieces.push(() => END_OF_LINE);
  return (message, time, complain) =>
    Buffer.concat(
      pieces.map((piece) => {
        const value = piece(message, time, complain);
        return typeof value === 'string' ? Buffer.from(value) : value;
      }),
    );
}

function parse(format: string): Piece[] {
  const pieces: Piece[] = [];
  const token = /%(?<flag>[-0]?)(?<zero>0?)(?<width>\d*)(?:\.(?<most>\d*))?(?<parameter>[^.\d])|@(?<time>.)|\\(?<escaped>.)|[^%@\\]+/suy;
  while (token.lastIndex < format.length) {
    const at = token.lastIndex;
    const match = token.exec(format);
    if (!match) throw new FormatError(`'${format.slice(at)}' is cut off at the end; write ${format[at]}${format[at]} for the sign itself`);
    const [text, { flag = '', zero = '', width = '', most, parameter, time, escaped } = {}] = [match[0], match.groups];
    if (parameter !== undefined) {
      const left = flag === '-';
      const field = {
        left,
        zero: !left && (flag === '0' || zero === '0'),
        width: Number(width),
        most: most === undefined ? undefined : Number(most),
      };
      pieces.push(parameterPiece(text, parameter, field));
    } else if (time !== undefined) {
      if (!conversionLetters.includes(time)) throw new FormatError(`'${text}' is not known; @ takes one of ${conversionLetters}`);
      pieces.push((_message, now) => strftime(time, now));
    } else if (escaped !== undefined) {
      const value = escapes[escaped];
      if (value === undefined) throw new FormatError(`'${text}' is not known; a backslash takes one of \\ 0 a e n r t v`);
      pieces.push(() => value);
    } else {
      pieces.push(() => text);
    }
  }
  return pieces;
}

function parameterPiece(text: string, letter: string, field: Field): Piece {
  const number = (value: (message: Message) => number): Piece => {
    return (message) => {
      const digits = String(value(message));
      return field.left ? digits.padEnd(field.width) : digits.padStart(field.width, field.zero ? '0' : ' ');
    };
  };
  switch (letter) {
    case '%':
      return () => '%';
    case 't':
      return ({ topic }) => fit(Buffer.from(topic), field);
    case 'p':
      return ({ payload }) => fitPayload(payload, payload, field);
    case 'x':
      return ({ payload }) => fitPayload(payload, payload.toString('hex'), field);
    case 'X':
      return ({ payload }) => fitPayload(payload, payload.toString('hex').toUpperCase(), field);
    case 'l':
      return number(({ payload }) => payload.length);
    case 'm':
      return number(({ messageId }) => messageId);
    case 'q':
      return ({ qos }) => String(qos);
    case 'r':
      return ({ retain }) => (retain ? '1' : '0');
    case 'I':
      return (_message, time) => fit(Buffer.from(`${strftime('F', time)}T${strftime('T', time)}${strftime('z', time)}`), field);
    case 'U':
      return (_message, time) => `${strftime('s', time)}.${strftime('N', time)}`;
    case 'j':
      return (message, time) => json(message, time, quoted(message.payload));
    case 'J':
      return (message, time, complain) => {
        const value = compact(message.payload);
        if (value) return json(message, time, value);
        complain(`the payload to '${message.topic}' is not valid JSON, which %J prints; %j prints any payload`);
        return '';
      };
    case 'A':
    case 'E':
    case 'F':
    case 'S':
      return () => (field.zero ? '0' : ' ').repeat(field.width);
    case 'C':
      return () => ' '.repeat(field.width);
    case 'D':
    case 'P':
    case 'R':
      return () => '';
  }
  throw new FormatError(`'${text}' is not known; % takes one of t p x X l m q r I U j J %`);
}

function fit(text: Buffer, { left, width, most }: Field): Buffer {
  const kept = text.subarray(0, most);
  const padding = Buffer.alloc(Math.max(width - kept.length, 0), ' ');
  return left ? Buffer.concat([kept, padding]) : Buffer.concat([padding, kept]);
}

/** A payload's width is also the most of its bytes that are printed. */
function fitPayload(payload: Buffer, shown: Buffer | string, { left, zero, width }: Field): Buffer {
  const whole = Buffer.from(shown);
  const kept = width > 0 && payload.length > width ? whole.subarray(0, (whole.length / payload.length) * width) : whole;
  const padding = Buffer.alloc(Math.max(width - kept.length, 0), zero ? '0' : ' ');
  return left ? Buffer.concat([kept, padding]) : Buffer.concat([padding, kept]);
}

function json({ topic, qos, retain, payload, messageId }: Message, time: Date, value: Buffer): Buffer {
  const stamp = `${strftime('F', time)}T${strftime('T', time)}.${strftime('N', time).slice(0, 6)}Z${strftime('z', time)}`;
  const mid = qos > 0 ? `"mid":${messageId},` : '';
  const head = `{"tst":"${stamp}","topic":${JSON.stringify(topic)},"qos":${qos},"retain":${retain ? 1 : 0},"payloadlen":${payload.length},${mid}`;
  return Buffer.concat([Buffer.from(`${head}"payload":`), value, Buffer.from('}')]);
}

/** As a JSON string. Latin-1 carries every byte through unchanged, whether the payload is UTF-8 or not. */
function quoted(payload: Buffer): Buffer {
  return Buffer.from(payload.length === 0 ? 'null' : JSON.stringify(payload.toString('latin1')), 'latin1');
}

/** JSON without the blanks between its tokens, which themselves stay as they are: a long number keeps its digits. */
function compact(payload: Buffer): Buffer | undefined {
  if (payload.length === 0) return Buffer.from('null');
  const text = payload.toString('latin1');
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return Buffer.from(text.replace(/("(?:[^"\\]|\\.)*")|[ \t\r\n]+/g, '$1'), 'latin1');
}
