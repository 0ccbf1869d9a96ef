// The CONNECT packet, encoded once from the board's configuration and sent again on every connection.

import { config_text } from '../board';
import { connectionArea } from '../bytes/buffers';
import { bytes, field, uint16 } from '../bytes/cursor';
import { utf8Fault } from '../bytes/utf8';
import {
  CONFIG_CLIENT_ID,
  CONFIG_PASSWORD,
  CONFIG_USERNAME,
  CONFIG_WILL_PAYLOAD,
  ERROR_CONFIG_MISSING,
  ERROR_CONFIG_TOO_LONG,
} from '../contract';
import { wantsCleanSession } from '../delivery/journal';
import { keepAlive } from '../delivery/timeouts';
import { hasWill, willPayload, willPayloadLength, willQos, willRetain, willTopic, willTopicLength } from '../delivery/will';
import { CONNECT_BYTES } from '../limits';
import * as settings from '../settings';
import {
  CONNECT_CLEAN_SESSION,
  CONNECT_HEADER_BYTES,
  CONNECT_PASSWORD,
  CONNECT_USERNAME,
  CONNECT_WILL,
  CONNECT_WILL_RETAIN,
  connectHeader,
  FIXED_HEADER_MOST,
  prependConnect,
} from './encode';

const body = connectionArea + FIXED_HEADER_MOST;
const limit = connectionArea + CONNECT_BYTES;
let start: usize = 0;
let end: usize = 0;

export let cleanSession: bool = true;

/** Encodes the CONNECT; what cannot be used is refused (settings.fault). */
export function prepareConnect(): void {
  cleanSession = wantsCleanSession();
  let flags: u32 = cleanSession ? CONNECT_CLEAN_SESSION : 0;

  // The payload's fields follow in this order [MQTT-3.1.3-1].
  end = body + CONNECT_HEADER_BYTES;
  if (!appendText(CONFIG_CLIENT_ID)) end = uint16(end, 0);
  // A session that is kept needs a name to be found under [MQTT-3.1.3-7].
  if (!cleanSession && end == body + CONNECT_HEADER_BYTES + 2) settings.refuse(CONFIG_CLIENT_ID, ERROR_CONFIG_MISSING);
  if (hasWill()) {
    flags |= CONNECT_WILL | (willQos << 3) | (willRetain ? CONNECT_WILL_RETAIN : 0);
    if (<u32>(limit - end) < 4 + willTopicLength + willPayloadLength) {
      settings.refuse(CONFIG_WILL_PAYLOAD, ERROR_CONFIG_TOO_LONG);
      return;
    }
    end = field(field(end, willTopic, willTopicLength), willPayload, willPayloadLength);
  }
  if (appendText(CONFIG_USERNAME)) {
    flags |= CONNECT_USERNAME;
    if (appendText(CONFIG_PASSWORD)) flags |= CONNECT_PASSWORD;
  } else if (config_text(CONFIG_PASSWORD, 0, 0) >= 0) settings.refuse(CONFIG_USERNAME, ERROR_CONFIG_MISSING); // [MQTT-3.1.2-22]
  connectHeader(body, flags, keepAlive);
  start = prependConnect(body, <u32>(end - body));
}

/** Appends a text of the configuration as a field; false when there is none. */
function appendText(key: i32): bool {
  const room = max(min(<i32>(limit - end) - 2, 65535), 0);
  const length = config_text(key, end + 2, room);
  if (length < 0) return false;
  if (length > room) {
    settings.refuse(key, ERROR_CONFIG_TOO_LONG);
    return false;
  }
  if (key != CONFIG_PASSWORD) settings.refuse(key, utf8Fault(end + 2, length));
  end = uint16(end, length) + length;
  return true;
}

export function connectSize(): u32 {
  return <u32>(end - start);
}

/** Copies the CONNECT to `p`; answers its end. */
export function copyConnect(p: usize): usize {
  return bytes(p, start, connectSize());
}
