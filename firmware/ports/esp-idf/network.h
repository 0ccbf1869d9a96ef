/* The way to the network: Wi-Fi as a station on a chip (wifi.c), what the machine has on IDF's linux target (network_linux.c).
 *
 * - Wi-Fi connects by itself and again whenever it is lost, after 0.5 s, 1 s, 2 s … 60 s with jitter, for ever.
 * - What a person should know is said once, until it changes: a wrong password, no such network, connected with which address.
 * - The stack and the driver allocate, in tasks of their own; the board does not. */
#ifndef TWOBYTE_NETWORK_H
#define TWOBYTE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_WAIT_MS 500
#define NETWORK_WAIT_MOST_MS 60000

/* network_open(ssid, password): begins; NULL for `ssid`: there is no network, the broker is at the line's other end. The texts stay where they are. False:
 * the driver could not be started. */
bool network_open(const char *ssid, const char *password);

/* network_is_needed(): whether a broker that is not at the line's other end needs wifi_ssid. */
bool network_is_needed(void);

/* network_is_up(): whether there is an address. From any task. */
bool network_is_up(void);

/* network_words(to, capacity): what a person should know since the last call; its length, or 0. */
uint32_t network_words(char *to, uint32_t capacity);

/* network_saves_power(yes): the radio sleeps between beacons; the chip does when nothing is to be done. */
void network_saves_power(bool yes);

/* network_close(): lets go of the access point, before a deep sleep or a restart. */
void network_close(void);

/* network_wait(failures, random): ms until the next attempt after so many in a row. */
uint32_t network_wait(uint32_t failures, uint32_t random);

#endif
