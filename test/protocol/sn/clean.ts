/** Conversations without a fault, in the notation of script.ts. */

/** Client c, keep alive 60 s, clean session. */
export const hello = `
  > 07 04 04 01 003c 'c'
  < 03 05 00`;

/** The same with a session that is kept. */
export const keep = `
  > 07 04 00 01 003c 'c'
  < 03 05 00`;

/** With a will. */
export const willing = `
  > 07 04 0c 01 003c 'c'`;

/** Topic t/a becomes id 1. */
export const register = `
  > 09 0a 0000 0001 't/a'
  < 07 0b 0001 0001 00`;

/** The gateway tells that t/b is id 2. */
export const told = `
  < 09 0a 0002 0100 't/b'
  > 07 0b 0002 0100 00`;

/** Sleeps for 60 s. */
export const sleep = `
  > 04 18 003c
  < 02 18`;

/** A first message on t/a. */
export const q1 = `
  > 08 0c 20 0001 0002 '1'`;
export const q2 = `
  > 08 0c 40 0001 0002 '2'`;

/** Every message there is, and every field. */
export const everyKind = `
  < 05 00 01 0384
  > 03 01 00
  < 03 02 01
  > 07 02 01 7f000001
  > 0b 0c 62 'ab' 0000 '23.4'
  > 07 04 0c 01 003c 'c'
  < 02 06
  > 07 07 30 'gone'
  < 02 08
  > 05 09 'bye'
  < 03 05 00
  > 09 0a 0000 0001 't/a'
  < 07 0b 0001 0001 00
  > 08 0c 00 0001 0000 '0'
  > 08 0c 32 'ab' 0002 '1'
  < 07 0d 'ab' 0002 00
  > 08 0c 40 0001 0003 '2'
  < 04 0f 0003
  > 04 10 0003
  < 04 0e 0003
  > 08 12 40 0004 '+/#'
  < 08 13 40 0000 0004 00
  < 09 0a 0002 0001 't/b'
  > 07 0b 0002 0001 00
  < 08 0c 00 0002 0000 '0'
  < 08 0c 20 0002 0002 '1'
  > 07 0d 0002 0002 00
  < 08 0c 41 0007 0003 '2'
  > 04 0f 0003
  < 04 10 0003
  > 04 0e 0003
  > 08 14 00 0005 '+/#'
  < 04 15 0005
  > 07 1a 20 'gone'
  < 03 1b 00
  > 05 1c 'ade'
  < 03 1d 00
  > 02 16
  < 02 17
  < 02 16
  > 02 17
  > 04 18 0e10
  < 02 18
  > 03 16 'c'
  < 08 0c 00 0002 0000 '3'
  < 02 17
  > 02 18
  < 02 18`;

const long = '78'.repeat(300);

export const cleanConversations: readonly (readonly [what: string, script: string])[] = [
  ['every kind of message', everyKind],
  ['a message of 307 bytes', `${hello}${register}\n > 01 0135 0c 00 0001 0000 ${long}\n < 01 0135 0c 00 0001 0000 ${long}`],
  ['QoS -1 without a connection', `> 08 0c 61 0001 0000 'x'\n > 08 0c 72 'ab' 0000 'x'`],
  ['QoS -1 of a client that sleeps', `${hello}${sleep}\n > 08 0c 61 0001 0000 'x'`],
  ['a CONNECT that is sent again until it is answered', `> 07 04 04 01 003c 'c'\n > 07 04 04 01 003c 'c'\n < 03 05 00\n < 03 05 00`],
  ['a refusal, and another attempt', `> 07 04 04 01 003c 'c'\n < 03 05 01\n ${hello}`],
  ['a will that is refused at once', `${willing}\n < 03 05 03`],
  ['a will without a topic', `${willing}\n < 02 06\n > 02 07\n < 03 05 00`],
  [
    'a handshake of which each step comes twice',
    `${willing}${willing}
     < 02 06\n < 02 06\n > 05 07 00 'gw'\n > 05 07 00 'gw'\n < 02 08\n < 02 08\n > 03 09 'b'\n > 03 09 'b'\n < 03 05 00\n < 03 05 00`,
  ],
  ['a WILLTOPIC that is sent again', `${willing}\n < 02 06\n > 05 07 00 'gw'\n > 05 07 00 'gw'\n < 02 08\n > 03 09 'b'\n < 03 05 00`],
  [
    'a WILLMSG that is sent again, as the CONNACK was lost',
    `${willing}\n < 02 06\n > 05 07 00 'gw'\n < 02 08\n > 03 09 'b'\n x< 03 05 00\n > 03 09 'b'\n < 03 05 00`,
  ],
  [
    'a sleeper that has no answer and begins anew',
    `${hello}${sleep}\n x> 07 04 00 01 003c 'c'\n x> 07 04 00 01 003c 'c'${hello}${register}`,
  ],
  ['a PUBLISH that is sent again', `${hello}${register}${q1}\n > 08 0c a0 0001 0002 '1'\n < 07 0d 0001 0002 00\n < 07 0d 0001 0002 00`],
  [
    'an exchange at QoS 2 of which each step comes twice',
    `${hello}${register}${q2}
     > 08 0c c0 0001 0002 '2'\n < 04 0f 0002\n < 04 0f 0002\n > 04 10 0002\n > 04 10 0002\n < 04 0e 0002\n < 04 0e 0002`,
  ],
  [
    'a message id that is used again after its acknowledgement',
    `${hello}${register}${q1}\n < 07 0d 0001 0002 00\n > 08 0c 20 0001 0002 'b'\n < 07 0d 0001 0002 00`,
  ],
  [
    'a gateway that uses the message ids of the client',
    `${hello}${register}${told}${q1}\n < 08 0c 20 0002 0002 'x'\n > 07 0d 0002 0002 00\n < 07 0d 0001 0002 00`,
  ],
  [
    'congestion, and the same again with DUP',
    `${hello}${register}${q1}\n < 07 0d 0001 0002 01\n > 08 0c a0 0001 0002 '1'\n < 07 0d 0001 0002 00`,
  ],
  ['congestion, and the same again without DUP', `${hello}${register}${q1}\n < 07 0d 0001 0002 01${q1}\n < 07 0d 0001 0002 00`],
  ['congestion of a REGISTER', `${hello}\n > 09 0a 0000 0001 't/a'\n < 07 0b 0000 0001 01${register}`],
  [
    'congestion of a SUBSCRIBE',
    `${hello}\n > 08 12 00 0001 't/a'\n < 08 13 00 0000 0001 01\n > 08 12 80 0001 't/a'\n < 08 13 00 0001 0001 00`,
  ],
  [
    'an invalid topic id, and the message again on a new one',
    `${hello}${register}${q1}\n < 07 0d 0001 0002 02
     > 09 0a 0000 0003 't/a'\n < 07 0b 0009 0003 00\n > 08 0c a0 0009 0002 '1'\n < 07 0d 0009 0002 00`,
  ],
  ['an invalid topic id at QoS 0', `${hello}${register}\n > 08 0c 00 0001 0000 'x'\n < 07 0d 0001 0000 02`],
  [
    'a gateway whose message is refused',
    `${hello}${told}\n < 08 0c 20 0002 0001 'x'\n > 07 0d 0002 0001 02${told.replaceAll('0100', '0101')}\n < 08 0c a0 0002 0001 'x'\n > 07 0d 0002 0001 00`,
  ],
  [
    'a SUBSCRIBE that is sent again',
    `${hello}\n > 08 12 20 0001 't/a'\n > 08 12 a0 0001 't/a'\n < 08 13 20 0007 0001 00\n > 08 0c 00 0007 0000 'x'`,
  ],
  [
    'subscriptions to short and pre-defined topics',
    `${hello}\n > 07 12 02 0001 'ab'\n < 08 13 00 0000 0001 00\n > 07 12 02 0002 'cd'\n < 08 13 00 'cd' 0002 00\n > 07 12 01 0003 0005\n < 08 13 00 0005 0003 00
     < 08 0c 01 0005 0000 'x'\n < 08 0c 02 'ab' 0000 'x'\n > 07 14 02 0004 'ab'\n < 04 15 0004`,
  ],
  ['a subscription to a pre-defined topic that is refused', `${hello}\n > 07 12 01 0001 0005\n < 08 13 00 0005 0001 02`],
  ['a subscription that is refused', `${hello}\n > 08 12 00 0001 't/a'\n < 08 13 00 0000 0001 03`],
  [
    'what was in flight is sent again under a new topic id',
    `${keep}${register}${q1}${keep}\n > 09 0a 0000 0003 't/a'\n < 07 0b 0005 0003 00\n > 08 0c a0 0005 0002 '1'\n < 07 0d 0005 0002 00`,
  ],
  [
    'a PUBREL that is sent again in the next connection',
    `${keep}${register}${q2}\n < 04 0f 0002\n > 04 10 0002${keep}\n > 04 10 0002\n < 04 0e 0002`,
  ],
  [
    'a clean session that begins anew',
    `${hello}${register}${q1}\n > 02 18\n < 02 18${hello}${register}\n > 08 0c 20 0001 0002 'z'\n < 07 0d 0001 0002 00`,
  ],
  [
    'ids of a kept session that the gateway uses again',
    `${keep}${told}\n > 02 18\n < 02 18${keep}\n < 08 0c 20 0002 0001 'x'\n > 07 0d 0002 0001 00\n > 08 0c 00 0002 0000 'x'`,
  ],
  ['a power cut between two sendings', `${keep}${register}${q1}\n !${keep}${register}\n > 08 0c a0 0001 0002 '1'\n < 07 0d 0001 0002 00`],
  ['a power cut before a PUBREL', `${keep}${register}${q2}\n < 04 0f 0002\n !${keep}\n > 04 10 0002\n < 04 0e 0002`],
  ['a sleep that is made longer', `${hello}${sleep}\n > 04 18 0078\n < 02 18\n > 03 16 'c'\n > 03 16 'c'\n < 02 17\n < 02 17`],
  [
    'messages for a client that awakes, on a topic it did not know',
    `${hello}${sleep}\n > 03 16 'c'${told}\n < 08 0c 40 0002 0001 'x'\n > 04 0f 0001\n < 04 10 0001\n > 04 0e 0001\n < 02 17`,
  ],
  ['a client that wakes for good and goes on with its ids', `${hello}${register}${sleep}${keep}\n > 08 0c 00 0001 0000 'x'`],
  [
    'an answer of a client that is about to wake for good',
    `${hello}${told}${sleep}\n > 03 16 'c'\n < 08 0c 20 0002 0001 'x'\n > 07 04 00 01 003c 'c'\n > 07 0d 0002 0001 00\n < 03 05 00`,
  ],
  ['a DISCONNECT that is sent again', `${hello}\n > 02 18\n > 02 18\n < 02 18\n < 02 18`],
  ['a gateway that dismisses the client', `${hello}\n < 02 18${hello}`],
  ['a client that the gateway does not know', `> 07 04 04 01 003c 'c'\n < 02 18${hello}`],
  [
    'a client behind a forwarder',
    `> 05 fe 00 beef 07 04 04 01 003c 'c'\n < 05 fe 00 beef 03 05 00\n > 05 fe 03 beef 02 16\n < 05 fe 01 beef 02 17`,
  ],
  ['a client that pings in time', `${hello}\n +60000\n > 02 16\n < 02 17\n +89000\n > 02 16\n < 02 17`],
  ['a keep alive of 0', `> 07 04 04 01 0000 'c'\n < 03 05 00\n +9000000\n > 02 16\n < 02 17`],
  ['an update of the will that is sent again', `${hello}\n > 02 1a\n > 02 1a\n < 03 1b 00\n > 03 1c 'x'\n < 03 1d 03`],
  [
    'two requests of different kinds at once',
    `${hello}\n > 09 0a 0000 0001 't/a'\n > 08 12 00 0002 't/b'\n < 08 13 00 0002 0002 00\n < 07 0b 0001 0001 00`,
  ],
];
