/* IDF's linux target uses the machine's own sockets: the network is there. */
#include "network.h"

bool network_open(const char *ssid, const char *password) {
    (void)ssid;
    (void)password;
    return true;
}

bool network_is_needed(void) {
    return false;
}

bool network_is_up(void) {
    return true;
}

uint32_t network_words(char *to, uint32_t capacity) {
    (void)to;
    (void)capacity;
    return 0;
}

void network_saves_power(bool yes) {
    (void)yes;
}

void network_close(void) {
}
