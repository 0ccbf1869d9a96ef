/* The clocks: one that counts from the start, and the wall's, which SNTP or the host at the console's other end sets. */
#include "times.h"

#include "board.h"
#include "console.h"

#include "sdkconfig.h"

#include <stddef.h>
#include <sys/time.h>

#if CONFIG_IDF_TARGET_LINUX

#include <time.h>

int64_t console_now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The machine's clock is right, and not ours to set. */
void times_ask(const char *server) {
    (void)server;
}

void times_set(uint32_t seconds) {
    (void)seconds;
}

#else

#include "esp_netif_sntp.h"
#include "esp_timer.h"

int64_t console_now_ms(void) {
    return esp_timer_get_time() / 1000;
}

/* It asks again and again on its own, from a task of lwIP, as soon as there is a network. */
void times_ask(const char *server) {
    esp_sntp_config_t config = ESP_NETIF_SNTP_DEFAULT_CONFIG(server ? server : TIMES_SERVER);
    (void)esp_netif_sntp_init(&config);
}

void times_set(uint32_t seconds) {
    /* The host's clock counts while SNTP has not answered: its own is as good as the wire is quick. */
    if (times_unix() != 0) return;
    struct timeval now = {.tv_sec = (time_t)seconds};
    (void)settimeofday(&now, NULL);
}

#endif

int64_t console_wall_us(void) {
    struct timeval now;
    (void)gettimeofday(&now, NULL);
    return (int64_t)now.tv_sec * 1000000 + (int64_t)now.tv_usec;
}

int32_t times_unix(void) {
    return board_unix_time(console_wall_us() / 1000000);
}
