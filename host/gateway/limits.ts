/** Everything of a gateway that has a number. Times in ms unless said otherwise. */
export interface Limits {
  /** GwId, 1 to 255. */
  gatewayId: number;
  /** Seconds between two ADVERTISE, 1 to 65535; 0 sends none. The specification advises more than 15 minutes. */
  advertise: number;
  /** Clients that are connected, asleep, or have a session that is kept. */
  clients: number;
  /** Topic ids a client, and bytes of their names. The oldest that the client did not ask for go first. */
  registrations: number;
  registrationBytes: number;
  /** Subscriptions a client, and bytes of their filters. */
  subscriptions: number;
  subscriptionBytes: number;
  /** Messages, and bytes of their topics and payloads, that wait for one client. The oldest go first. */
  bufferedMessages: number;
  bufferedBytes: number;
  /** Requests of one client, and of all, that wait for the broker; what comes beyond is answered with congestion. */
  inflight: number;
  totalInflight: number;
  /** A broker that is away for less is waited for; then requests are answered with congestion. */
  brokerAbsence: number;
  /** For the broker to answer a client's CONNECT; shorter than a client's Tretry, so that it hears of the congestion and not of nothing. */
  connectDeadline: number;
  /** Tretry and Nretry, SN 7.2. */
  retryTime: number;
  retries: number;
  /**
   * TWAIT: how long a client that answered with congestion is left alone. The specification advises five minutes; at home the client is a board
   * whose inbox is full for a moment, and a shorter wait costs it one datagram.
   */
  congestionWait: number;
  /** Bytes of the longest client id. The specification says 23; brokers take more, and so do the clients of several makers. */
  clientId: number;
  /** How long the session of a lost client is kept connected to the broker; the broker keeps it on. */
  lostExpiry: number;
  /** Malformed datagrams a second from one address; then it is not listened to for the rest of the second. */
  garbage: number;
  /** Publications without a connection (QoS −1, SN 6.8) are taken. */
  qosMinusOne: boolean;
  /** Of them, those a second from one address, which may be a forwarder with many nodes behind it. */
  qosMinusOneRate: number;
}

const HOUR = 3_600_000;

export const defaultLimits: Readonly<Limits> = {
  gatewayId: 1,
  advertise: 0,
  clients: 1000,
  registrations: 1000,
  registrationBytes: 65_536,
  subscriptions: 1000,
  subscriptionBytes: 65_536,
  bufferedMessages: 256,
  bufferedBytes: 65_536,
  inflight: 32,
  totalInflight: 4096,
  brokerAbsence: 20_000,
  connectDeadline: 8000,
  retryTime: 10_000,
  retries: 4,
  congestionWait: 30_000,
  clientId: 128,
  lostExpiry: 7 * 24 * HOUR,
  garbage: 100,
  qosMinusOne: true,
  qosMinusOneRate: 100,
};

/** How long a message that was taken in full is known again, and how many a client (a network may hold back a copy that long). */
export const REMEMBERED_MS = 60_000;
export const REMEMBERED = 16;

/** QoS 2 messages of one client between PUBREC and PUBREL; a client has one at a time. */
export const UNRELEASED = 64;

/** A CONNECT like the one before, from the same address and within this time, is a copy of it and no new start. */
export const COPY_MS = 1500;

/**
 * CONNECTs a second that are taken from one address, which may be a forwarder whose nodes were switched on at once. Each can cost some
 * milliseconds: a connection to the broker begins, and that of the client before at this address ends.
 */
export const CONNECTS = 50;

/**
 * QoS 0 publications of one client, and of all, that a broker has not taken: away, or slower than they come. In bytes, with what a message costs
 * beside its own.
 */
export const UNSENT_BYTES = 1024 * 1024;
export const TOTAL_UNSENT_BYTES = 64 * 1024 * 1024;
export const MESSAGE_COST = 256;

/** Bytes of datagrams that the system has not taken yet; those beyond are lost. */
export const SENDING_BYTES = 16 * 1024 * 1024;

/** Addresses that are watched within a second, each for garbage, CONNECTs, QoS −1 and answers to strangers. The others share one count. */
export const WATCHED_ADDRESSES = 1024;

/** DISCONNECTs a second to strangers in all; each gets one. */
export const STRANGERS = 100;

/** Time for what is under way when a client's connection to the broker ends. */
export const ENDING_MS = 5000;

/** Lines for people within this time; those beyond are counted. */
export const LINES = 20;
export const QUIET_MS = 10_000;
