/**
 * What MQTT-SN 1.2 (14 November 2013) asks for and the checker can see broken on the wire. The specification numbers sections, not statements:
 * a rule goes by its section and a word of ours.
 */
export const RULES = {
  // Single messages.
  'SN 5.2 header': 'a message has a length and a type',
  'SN 5.2.1 exact': 'the length is that of the whole datagram',
  'SN 5.2.1 shortest': 'the length takes three bytes only above 255 (a promise of ours: the specification lets a sender choose)',
  'SN 5.2.2 type': 'message types 03, 11, 19, 1E to FD and FF are reserved',
  'SN 5.2.2 direction': 'each side sends its own types',
  'SN 5.3 utf-8': 'a string is well-formed UTF-8',
  'SN 5.3 nul': 'a string holds no U+0000',
  'SN 5.3.1 client id': 'a client id has 1 to 23 bytes',
  'SN 5.3.3 duration': 'a duration is not 0 where it is the time of a sleep or between two ADVERTISE',
  'SN 5.3.4 unused': 'flags that a message does not use are 0',
  'SN 5.3.4 qos': 'QoS -1 is for PUBLISH alone',
  'SN 5.3.4 type': 'topic id type 3 is reserved',
  'SN 5.3.4 dup': 'DUP is set when a message is sent again, and only then',
  'SN 5.3.7 not 0': 'a message that asks for an answer, and its answer, have a message id other than 0',
  'SN 5.3.7 in use': 'a new message has a message id that is not in use',
  'SN 5.3.8 protocol': 'the protocol id is 1',
  'SN 5.3.10 code': 'return codes are 0 to 3',
  'SN 5.3.11 topic id': 'topic ids 0000 and FFFF are reserved',
  'SN 5.3.12 empty': 'a topic has at least one byte',
  'SN 5.3.12 wildcard': 'a topic name has no wildcards',
  'SN 5.4 content': 'a message has the fields of its type, and no more',
  'SN 5.4.3 address': 'GWINFO has an address from a client, and none from a gateway',
  'SN 5.4.7 empty': 'a will topic that is to be deleted comes without flags, a will topic with flags has at least one byte',
  'SN 5.4.10 topic id': 'the topic id of a REGISTER from a client is 0000',
  'SN 5.4.12 message id': 'a PUBLISH at QoS 0 and -1 has message id 0',
  'SN 5.5 control': 'bits 7 to 2 of the control byte are 0',
  'SN 5.5 node id': 'an encapsulated message names its node, always the same one in a conversation',
  'SN 5.5 message': 'one encapsulated message follows, not encapsulated again, and the length of one byte ends before it',
  'SN 6.9 filter': '# stands alone in the last level of a topic filter, + alone in its level',

  // A client.
  'SN 6.2 connected': 'a client that is not connected sends CONNECT, SEARCHGW, GWINFO and PUBLISH at QoS -1 only',
  'SN 6.2 one': 'a client waits for the answer to its CONNECT before it sends another',
  'SN 6.2 will topic': 'WILLTOPIC answers WILLTOPICREQ, which answers a CONNECT with a will',
  'SN 6.2 will message': 'WILLMSG answers WILLMSGREQ, which answers WILLTOPIC',
  'SN 6.4 one': 'one update of a kind is outstanding',
  'SN 6.5 one': 'one REGISTER of a client is outstanding',
  'SN 6.5 registered': 'a client publishes on topic ids that it was told in this connection',
  'SN 6.6 one': 'one PUBLISH above QoS 0 of a client is outstanding',
  'SN 6.6 qos 2': 'PUBREL follows PUBREC, and after it the PUBLISH is not sent again',
  'SN 6.6 again': 'a message that was acknowledged is not sent again',
  'SN 6.9 one': 'one SUBSCRIBE and one UNSUBSCRIBE are outstanding',
  'SN 6.11 alive': 'a connected client sends something within one and a half times the duration of its CONNECT',
  'SN 6.12 over': 'after DISCONNECT a client sends nothing but that DISCONNECT again',
  'SN 6.14 asleep': 'a client that sleeps sends PINGREQ, DISCONNECT and CONNECT, and awake also its answers',
  'SN 6.14 ping': 'PINGREQ names the client when it sleeps, and only then, as CONNECT did',

  // A gateway.
  'SN 6.2 not connected':
    'a gateway sends to a client that is not connected its part of the handshake, DISCONNECT, ADVERTISE and GWINFO only',
  'SN 6.2 connack': 'CONNACK answers CONNECT, and WILLMSG where there is a will',
  'SN 6.5 one name': 'a topic id stands for one name in a connection',
  'SN 6.8 one way': 'a gateway does not publish at QoS -1',
  'SN 6.9 granted': 'the QoS granted is not above the one asked for',
  'SN 6.9 topic id': 'SUBACK has topic id 0000 for a wildcard, another for a name, and where it refuses none that is new',
  'SN 6.10 registered': 'a gateway publishes on topic ids that the client knows, and waits for REGACK',
  'SN 6.14 buffered': 'a gateway keeps PUBLISH, PUBREL and REGISTER for a client that sleeps until the client asks for them',

  // Both.
  'SN 6.6 answer': 'an answer follows what it answers, once for each time that came',
  'SN 6.6 unknown id': 'a message on a topic id that is not known is not accepted',
} as const;

export type Rule = keyof typeof RULES;
export type Report = (rule: Rule, what: string) => void;
