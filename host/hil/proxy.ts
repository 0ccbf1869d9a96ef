import { performance } from 'node:perf_hooks';
import { Heard } from './heard.js';
import type { PacketName } from './packets.js';

/** Who said it: the board, or its peer, a broker or a gateway. */
export type Side = 'board' | 'peer';

/** A packet or a datagram as it came to a proxy. */
export interface Frame {
  /** In ms of performance.now(). */
  at: number;
  from: Side;
  /** Of the proxy's connections, or of a board's sockets, from 1. */
  connection: number;
  name: PacketName;
  /** A PUBLISH that says it may have come before. */
  dup: boolean;
  bytes: Uint8Array;
  /** `held` until it is released; a frame that was still held when its connection ended is lost. */
  fate: 'passed' | 'held' | 'lost';
}

/** Sees what a board and its peer say, as the board's side of the proxy has it: what the peer says when it passes, what the board says at once. */
export interface Observer {
  frame(frame: Frame): void;
  /** `cut`: not in order. Of a stream only. */
  ended?(connection: number, cut: boolean): void;
  /** The peer is another now, which knows nothing of before. */
  restarted?(): void;
}

interface Rule {
  from: Side;
  name: PacketName | undefined;
  left: number;
}

/** What a proxy does to frames by their kind: part of the proxies, which bring the frames. */
export abstract class ScriptedProxy {
  /** In the order in which they came. */
  readonly frames: Frame[] = [];
  /** Where boards connect. */
  abstract readonly address: string;
  readonly #heard = new Heard<Frame>();
  readonly #losing: Rule[] = [];
  #holding: Omit<Rule, 'left'>[] = [];
  #cutting: Rule | undefined;
  readonly #observers = new Set<Observer>();

  observe(observer: Observer): void {
    this.#observers.add(observer);
  }

  /** Tells observers that the peer was killed and started anew. */
  peerRestarted(): void {
    for (const observer of this.#observers) observer.restarted?.();
  }

  /** How many frames of that kind one side sent so far, whatever became of them. */
  count(from: Side, name: PacketName): number {
    return this.frames.filter((frame) => frame.from === from && frame.name === name).length;
  }

  /** Resolves with the nth frame of that kind. */
  async until(from: Side, name: PacketName, count = 1): Promise<Frame> {
    const them = (all: readonly Frame[]) => all.filter((frame) => frame.from === from && frame.name === name);
    const all = await this.#heard.until((all) => them(all).length >= count, `${name} ${count} of the ${from}`);
    return them(all)[count - 1] as Frame;
  }

  /** Loses the next `count` frames of that kind, or of any without one. */
  lose(from: Side, name?: PacketName, count = 1): void {
    this.#losing.push({ from, name, left: count });
  }

  /** From now on nothing is lost. */
  loseNothing(): void {
    this.#losing.length = 0;
  }

  /** From now on frames of that kind wait (and in a stream all that is behind them) until release(). */
  hold(from: Side, name?: PacketName): void {
    this.#holding.push({ from, name });
  }

  /** What waits passes, in its order, and what comes after it. */
  release(): void {
    this.#holding = [];
    this.releaseHeld();
  }

  /** Nothing of that side arrives until hear(): a stream holds it back, datagrams are lost. */
  abstract silence(from: Side): void;
  abstract hear(): void;

  /** Breaks all connections off; new ones pass. Datagrams have no connection: what is on its way is lost. */
  abstract cut(): void;

  /** Cuts when the next frame of that kind has come: with `passing` it still arrives, else it is the first that does not. */
  cutAt(from: Side, name: PacketName): void {
    this.#cutting = { from, name, left: 1 };
  }

  abstract close(): Promise<void>;

  /** Sends on what was held. */
  protected abstract releaseHeld(): void;

  /** What is to become of a frame that just came; `behind` says that another before it waits. */
  protected judge(from: Side, connection: number, name: PacketName, dup: boolean, bytes: Uint8Array, behind: boolean): Frame {
    const applies = (rule: Omit<Rule, 'left'>) => rule.from === from && (rule.name ?? name) === name;
    const losing = this.#losing.find((rule) => rule.left > 0 && applies(rule));
    if (losing) losing.left--;
    const cutting = this.#cutting !== undefined && applies(this.#cutting);
    const held = behind || this.#holding.some(applies);
    const fate = losing || cutting ? 'lost' : held ? 'held' : 'passed';
    const frame: Frame = { at: performance.now(), from, connection, name, dup, bytes, fate };
    this.frames.push(frame);
    if (from === 'board' || fate !== 'held') this.#show(frame);
    this.#heard.add(frame);
    if (cutting) {
      this.#cutting = undefined;
      this.cut();
    }
    return frame;
  }

  /** A frame that was held is sent on now. */
  protected pass(frame: Frame): void {
    frame.fate = 'passed';
    if (frame.from === 'peer') this.#show(frame);
  }

  protected ended(connection: number, cut: boolean): void {
    for (const observer of this.#observers) observer.ended?.(connection, cut);
  }

  #show(frame: Frame): void {
    for (const observer of this.#observers) observer.frame(frame);
  }
}
