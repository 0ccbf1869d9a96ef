/** Conversations without a fault, in the notation of script.ts. */

/** Clean session 1, keep alive 60, client c. */
export const hello = `
  > 10 0d 0004 'MQTT' 04 02 003c 0001 'c'
  < 20 02 00 00`;

/** The same with clean session 0; the server has no session. */
export const keep = `
  > 10 0d 0004 'MQTT' 04 00 003c 0001 'c'
  < 20 02 00 00`;

/** The server has one. */
export const resume = `
  > 10 0d 0004 'MQTT' 04 00 003c 0001 'c'
  < 20 02 01 00`;

/** Subscribes to t/# with QoS 2, as packet 1. */
export const subscribe = `
  > 82 08 0001 0003 't/#' 02
  < 90 03 0001 02`;

/** Every packet there is, and every field. */
export const everyKind = `
  > 10 2a 0004 'MQTT' 04 f6 0001 0006 'client' 0004 'will' 0004 'gone' 0004 'user' 0004 'pass'
  < 20 02 00 00
  > 82 12 0001 0003 't/#' 02 0001 '+' 01 0003 'x/+' 00
  < 90 05 0001 02 01 80
  > 30 06 0003 't/a' '0'
  > 33 08 0003 't/a' 0002 '1'
  > 34 08 0003 't/a' 0003 '2'
  < 40 02 0002
  < 50 02 0003
  > 62 02 0003
  < 70 02 0003
  < 31 06 0003 't/a' '0'
  < 32 08 0003 't/a' 0001 '1'
  > 40 02 0001
  < 34 08 0003 't/a' 0002 '2'
  > 50 02 0002
  < 62 02 0002
  > 70 02 0002
  > a2 0a 0004 0003 't/#' 0001 '+'
  < b0 02 0004
  > c0 00
  < d0 00
  > e0 00
  |`;

export const cleanSessions: readonly (readonly [what: string, script: string])[] = [
  ['every packet kind', everyKind],
  [
    'packets sent before CONNACK comes',
    `> 10 0d 0004 'MQTT' 04 02 003c 0001 'c'\n > 32 06 0001 'a' 0001 'x'\n < 20 02 00 00\n < 40 02 0001`,
  ],
  ['a message before the SUBACK', `${hello}\n > 82 06 0001 0001 'a' 01\n < 30 03 0001 'a'\n < 90 03 0001 00`],
  ['a message that waited when UNSUBACK came', `${hello}${subscribe}\n > a2 07 0002 0003 't/#'\n < b0 02 0002\n < 30 05 0003 't/a'`],
  [
    'an identifier used again after its acknowledgement',
    `${hello}\n > 32 05 0001 'a' 0001\n < 40 02 0001\n > 32 05 0001 'b' 0001\n < 40 02 0001`,
  ],
  [
    'a server that uses the identifiers of the client',
    `${hello}${subscribe}\n > 32 05 0001 'a' 0007\n < 32 07 0003 't/a' 0007\n > 40 02 0007\n < 40 02 0007`,
  ],
  ['a message sent twice on one connection', `${hello}\n > 32 05 0001 'a' 0001\n > 3a 05 0001 'a' 0001\n < 40 02 0001\n < 40 02 0001`],
  [
    'a QoS 2 message sent twice on one connection',
    `${hello}\n > 34 05 0001 'a' 0001\n > 3c 05 0001 'a' 0001\n < 50 02 0001\n < 50 02 0001\n > 62 02 0001\n > 62 02 0001\n < 70 02 0001\n < 70 02 0001`,
  ],
  ['a connection cut within a packet', `${hello}\n > 32 0a 0001\n /`],
  [
    'what was in flight is sent again',
    `${keep}\n > 32 05 0001 'a' 0001\n > 34 05 0001 'b' 0002\n /${resume}\n > 3a 05 0001 'a' 0001\n > 3c 05 0001 'b' 0002\n < 40 02 0001\n < 50 02 0002`,
  ],
  [
    'an acknowledgement that was lost with its connection',
    `${keep}\n > 32 05 0001 'a' 0001\n < 40 02 0001\n /${resume}\n > 3a 05 0001 'a' 0001\n < 40 02 0001`,
  ],
  [
    'a message that was lost on its way when the connection was cut',
    `${keep}${subscribe}\n /${resume}\n < 3a 07 0003 't/a' 0001\n > 40 02 0001\n > 3c 05 0001 'a' 0002\n < 50 02 0002`,
  ],
  ['a PUBREL sent again', `${keep}\n > 34 05 0001 'a' 0001\n < 50 02 0001\n > 62 02 0001\n /${resume}\n > 62 02 0001\n < 70 02 0001`],
  [
    'a PUBCOMP that was lost',
    `${keep}\n > 34 05 0001 'a' 0001\n < 50 02 0001\n > 62 02 0001\n < 70 02 0001\n /${resume}\n > 62 02 0001\n < 70 02 0001`,
  ],
  [
    'a server that sends again and goes on with the subscriptions',
    `${keep}${subscribe}\n < 32 07 0003 't/a' 0001\n /${resume}\n < 3a 07 0003 't/a' 0001\n < 32 07 0003 't/b' 0002\n > 40 02 0001\n > 40 02 0002`,
  ],
  [
    'a server that lost the session',
    `${keep}${subscribe}\n > 32 05 0001 'a' 0002\n /${keep}\n > 32 05 0001 'b' 0003\n < 40 02 0003\n > 3a 05 0001 'a' 0002\n < 40 02 0002`,
  ],
  [
    'a session that began before the capture',
    `${resume}\n < 3a 07 0003 't/a' 0001\n > 40 02 0001\n < 62 02 0009\n > 70 02 0009\n < 30 05 0003 't/b'\n > 3a 05 0001 'a' 0005\n < 40 02 0005`,
  ],
  ['a refusal', `> 10 0d 0004 'MQTT' 04 02 003c 0001 'c'\n < 20 02 00 01\n |`],
  [
    'retained messages, once for each subscription',
    `${hello}${subscribe}\n < 31 06 0003 't/a' 'x'\n > 82 08 0002 0003 't/a' 00\n < 31 06 0003 't/a' 'x'\n < 90 03 0002 00\n < 31 06 0003 't/b' 'x'`,
  ],
  ['a filter that includes its parent', `${hello}${subscribe}\n < 30 03 0001 't'`],
  ['a remaining length of two bytes', `${hello}\n > 30 80 01 0001 'a' ${'78'.repeat(125)}`],
];
