import type { Protocol } from '../../host/hil/ground.js';
import type { Frame, ScriptedProxy } from '../../host/hil/proxy.js';
import { Checker, type Connection, type Finding } from '../protocol/checker.js';
import { Conversation, type Finding as SnFinding } from '../protocol/sn/checker.js';
import type { Datagram } from '../protocol/sn/datagram.js';
import { decode } from '../protocol/sn/messages.js';

/** What one client and the gateway said to each other, over all its sockets. */
interface Heard {
  readonly datagrams: Datagram[];
  readonly checked: Conversation;
  /** From its CONNECT. */
  clientId: string | undefined;
  readonly lossy: boolean;
}

/** The strict checkers of both protocols, at the proxies of one scenario. */
export class Judges {
  readonly #checker = new Checker();
  readonly #heard: Heard[] = [];
  /** A connection was cut: of what the board had sent last, nobody knows. */
  #cut = false;

  /** `lossy`: datagrams are lost before they come to the proxy. */
  watch(proxy: ScriptedProxy, protocol: Protocol, { lossy }: { lossy: boolean }): void {
    if (protocol === 'mqtt') this.#watchStreams(proxy);
    else this.#watchDatagrams(proxy, lossy);
  }

  get findings(): (Finding | SnFinding)[] {
    const unseen = ({ direction, what }: Finding) => this.#cut && direction === 'client' && / was not sent before$/.test(what);
    const ofDatagrams = ({ checked, lossy }: Heard) =>
      checked.findings.filter(({ from, what }) => !(lossy && from === 'client' && / was not sent before$/.test(what)));
    return [...this.#checker.findings.filter((finding) => !unseen(finding)), ...this.#heard.flatMap(ofDatagrams)];
  }

  /** All that boards and gateways said to each other. */
  get datagrams(): Datagram[] {
    return this.#heard.flatMap(({ datagrams }) => datagrams);
  }

  /** Sessions outlive a proxy: one checker has them all. */
  #watchStreams(proxy: ScriptedProxy): void {
    const connections = new Map<number, Connection>();
    proxy.observe({
      frame: ({ connection, from, bytes, fate }) => {
        const checked = connections.get(connection) ?? this.#checker.connection();
        connections.set(connection, checked);
        if (from === 'board') checked.client(bytes);
        else if (fate === 'passed') checked.server(bytes);
      },
      ended: (connection, cut) => {
        this.#cut ||= cut;
        connections.get(connection)?.end(cut);
      },
    });
  }

  /** A client that comes back from another port is known by the client id of its CONNECT. */
  #watchDatagrams(proxy: ScriptedProxy, lossy: boolean): void {
    const bySocket = new Map<number, Heard>();
    const own: Heard[] = [];
    proxy.observe({
      frame: (frame) => {
        const before = bySocket.get(frame.connection);
        const heard = this.#recognize(frame, before, own, lossy);
        bySocket.set(frame.connection, heard);
        const from = frame.from === 'board' ? 'client' : 'gateway';
        const datagram: Datagram = { from, bytes: frame.bytes, at: performance.now(), ...(frame.fate === 'lost' && { lost: true }) };
        heard.datagrams.push(datagram);
        heard.checked.take(datagram);
      },
      restarted: () => {
        for (const { checked } of own) checked.restart('gateway');
      },
    });
  }

  #recognize(frame: Frame, before: Heard | undefined, own: Heard[], lossy: boolean): Heard {
    const id = frame.from === 'board' ? clientIdIn(frame.bytes) : undefined;
    const known = id === undefined ? before : own.find(({ clientId }) => clientId === id);
    if (known) return known;
    if (before && before.clientId === undefined) {
      before.clientId = id;
      return before;
    }
    const heard: Heard = { datagrams: [], checked: new Conversation(), clientId: id, lossy }; // another client, be it at the same socket
    own.push(heard);
    this.#heard.push(heard);
    return heard;
  }
}

/** The client id of a CONNECT, or of the PINGREQ of a client that sleeps. */
function clientIdIn(bytes: Uint8Array): string | undefined {
  try {
    const { fields } = decode(bytes, 'client', () => {});
    return fields.name === 'CONNECT' || fields.name === 'PINGREQ' ? fields.clientId : undefined;
  } catch {
    return undefined; // malformed: the checker says so
  }
}
