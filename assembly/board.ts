// Everything a module may ask of the world. Each import returns at once and never calls back into the module; docs/boundary.md
// describes them for whoever writes a board. Pointers are addresses in the module's memory, valid during the call only.

/** Starts opening `link` (0: the broker) at the board's address number `choice`, counted round. 0, or below 0 a REASON_… negated. */
export declare function link_open(link: i32, choice: i32): i32;

/** Offers `length` bytes at `data`. Answers the bytes taken (copied) now, 0 while the link is busy, or below 0 a REASON_… negated. */
export declare function link_send(link: i32, data: usize, length: i32): i32;

/** Closes `link`. What was taken before is still sent where it can be; the board reports nothing more of this opening. */
export declare function link_close(link: i32): void;

/** 32 random bits. */
export declare function random(): i32;

/** Copies the text of `key` (CONFIG_…) to `to`. Answers its length; over `capacity` nothing is copied; -1 when the board has none. */
export declare function config_text(key: i32, to: usize, capacity: i32): i32;

/** The number of `key` (CONFIG_…), or `otherwise` when the board has none. */
export declare function config_number(key: i32, otherwise: i32): i32;

/**
 * Writes the record of `key` in place of the one before; 0 bytes remove it. When it answers 0 the record outlives a power cut. Below 0 a STORE_…
 * negated: the record before may be left.
 */
export declare function store_write(key: i32, data: usize, length: i32): i32;

/** Copies the record of `key` to `to`, at most `capacity` bytes of it. Answers the length of the whole, or -1 when there is none. */
export declare function store_read(key: i32, to: usize, capacity: i32): i32;

/** Seconds since 1970 UTC, 0 while the board does not know them. */
export declare function unix_time(): i32;

/** The reading of thermometer `sensor` in thousandths of a degree Celsius; READING_FAILED and below when there is none. */
export declare function temperature(sensor: i32): i32;

/** The reading of hygrometer `sensor` in thousandths of a percent of relative humidity; READING_FAILED and below when there is none. */
export declare function humidity(sensor: i32): i32;

/**
 * I2C: writes `writeLength` bytes to the device at the 7-bit `address`, then, behind a repeated start, reads `readLength` from it; either may be 0.
 * 0, or below 0 a BUS_… negated.
 */
export declare function i2c_transfer(address: i32, write: usize, writeLength: i32, read: usize, readLength: i32): i32;

/** 1-wire: resets the wire, waits for a presence, writes, then reads; either length may be 0. 0, or below 0 a BUS_… negated. */
export declare function onewire_transfer(write: usize, writeLength: i32, read: usize, readLength: i32): i32;

/**
 * 1-wire, one step of a search: reads a bit and its complement, and writes the one that goes on: the bit where all agree, `direction` where they do not.
 * Answers bit | complement << 1 | written << 2, or below 0 a BUS_… negated.
 */
export declare function onewire_triplet(direction: i32): i32;

/** The voltage at analog channel `channel` in microvolts, or below 0 a BUS_… negated. */
export declare function adc_read(channel: i32): i32;

/** Reports EVENT_… `code` with its two details. The module's buffers hold still until it returns. */
export declare function event(code: i32, a: i32, b: i32): void;

/** The sender of the last datagram, or the network address in `length` bytes at `address`, is henceforth gateway `place`, 0 to 3: link_open(0, place) leads to it. 0, or below 0 a REASON_… negated. */
export declare function remember_gateway(place: i32, address: usize, length: i32): i32;

/** Hands the board a message about a new module (docs/updates.md). 0, or -1 of a board that takes none. */
export declare function update_take(payload: usize, length: i32): i32;

/** Copies what is to be published about it to `to`; answers its length, 0 when there is nothing. Each answer is given once. */
export declare function update_answer(to: usize, capacity: i32): i32;
