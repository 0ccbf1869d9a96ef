import { ACKNOWLEDGEMENT, CLOSE, CONSOLE, DATA, EVENT, type FromBoard, HELLO, LOST, OPEN, readMessage } from '../links/line-messages.js';
import { printable } from '../printable.js';
import { codeAddresses, decode, howToDecode } from './backtrace.js';
import { eventText } from './event-text.js';
import { explain } from './explain.js';
import { type Piece, Splitter } from './splitter.js';

/** The wire is silent for so long, in ms: what came without its end is shown. */
const SILENCE_MS = 300;
/** So many bytes that are neither text nor frames are a wrong rate, and not a frame that was cut. */
const MUCH_NOISE = 256;

/** What a line is: said by the board in text, a line of its console, its event, a frame of its line, or ours about what it said. */
export type LineKind = 'text' | 'console' | 'event' | 'frame' | 'note';

export interface MonitorOptions {
  /** Bits per second, for people. */
  baud: number;
  /** Tells a line for people. `json` with an event: as the board said it. */
  show(kind: LineKind, text: string, json?: string): void;
  /** The firmware's ELF file, to name the places of a trap. */
  elf?: string;
  /** Shows all frames, those of streams, datagrams and acknowledgements too. */
  frames?: boolean;
}

/** Makes lines for people of what a board's wire carries. */
export class Monitor {
  readonly #options: MonitorOptions;
  readonly #splitter = new Splitter();
  #timer: NodeJS.Timeout | undefined;
  #noise = 0;
  #sense = 0;
  #toldNoise = false;
  #start: number | undefined;
  #decoding = Promise.resolve();

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  bytes(chunk: Uint8Array): void {
    for (const piece of this.#splitter.push(chunk)) this.#piece(piece);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.silence(), SILENCE_MS);
  }

  /** Nothing comes for now: shows what has no end. */
  silence(): void {
    for (const piece of this.#splitter.flush()) this.#piece(piece);
  }

  /** Resolves when all is shown. */
  async end(): Promise<void> {
    clearTimeout(this.#timer);
    this.silence();
    await this.#decoding;
  }

  #piece(piece: Piece): void {
    if (piece.kind === 'noise') this.#heardNoise(piece.bytes);
    else if (piece.kind === 'frame') this.#frame(piece.message);
    else {
      this.#sense += piece.line.length;
      this.#text(piece.line);
    }
  }

  #text(line: string): void {
    this.#options.show('text', printable(line));
    const meaning = explain(line);
    if (meaning !== undefined) this.#options.show('note', meaning);
    const trap = codeAddresses(line);
    if (trap) this.#places(trap.machine, trap.addresses);
  }

  #places(...[machine, addresses]: Parameters<typeof howToDecode>): void {
    const { elf, show } = this.#options;
    if (elf === undefined) {
      show('note', howToDecode(machine, addresses));
      return;
    }
    this.#decoding = this.#decoding.then(async () => {
      const places = await decode(elf, machine, addresses).catch((error: Error) => [`--elf: ${error.message}`]);
      for (const place of places) show('note', printable(place));
    });
  }

  #heardNoise(bytes: number): void {
    this.#noise += bytes;
    if (this.#toldNoise || this.#noise < MUCH_NOISE || this.#noise < this.#sense) return;
    this.#toldNoise = true;
    const { baud, show } = this.#options;
    show(
      'note',
      `most of what comes is neither text nor frames: is ${baud} the board's rate? Boot messages come at 115200, of some older boards at 74880`,
    );
  }

  #frame(message: Buffer): void {
    this.#sense += message.length;
    const { show, frames } = this.#options;
    const said = message[0] === 0 ? readMessage(message) : undefined;
    switch (said?.kind) {
      case CONSOLE:
        show('console', printable(said.text));
        break;
      case EVENT:
        show('event', eventText(said.text), said.text);
        break;
      case LOST:
        show('frame', `the board has dropped ${said.consoles} console lines and ${said.events} events since its start: the line was busy`);
        break;
      case HELLO:
        if (said.start !== this.#start) show('frame', `the firmware has started${said.version === 1 ? '' : OTHER_VERSION}`);
        else if (frames) show('frame', `hello, stream ${hex(said.epoch)}`);
        this.#start = said.start;
        break;
      default:
        if (frames) show('frame', frameText(message, said));
    }
  }
}

const OTHER_VERSION = '; it speaks another version of the line than this program';

const hex = (number: number) => number.toString(16);

/** A frame that is of interest only to whoever looks at the line itself. */
function frameText(message: Buffer, said: FromBoard | undefined): string {
  if (message[0] !== 0) return `MQTT-SN, ${message.length} bytes: ${message.toString('hex')}`;
  switch (said?.kind) {
    case OPEN:
      return `opens stream ${hex(said.epoch)}, attempt ${said.choice + 1}`;
    case DATA:
      return `data ${said.number} of ${hex(said.epoch)}, ${said.body.length} bytes: ${said.body.toString('hex')}`;
    case CLOSE:
      return `closes stream ${hex(said.epoch)}`;
    case ACKNOWLEDGEMENT:
      return `awaits ${said.number} of ${hex(said.epoch)}${said.held ? ', held' : ''}`;
    default:
      return `message ${message.toString('hex')}`;
  }
}
