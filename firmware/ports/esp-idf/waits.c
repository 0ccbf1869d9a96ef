#include "waits.h"

#include "console.h"

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#if CONFIG_IDF_TARGET_LINUX

#include <stdatomic.h>

static atomic_bool told;

bool waits_open(void) {
    return true;
}

void waits_tell(void) {
    atomic_store(&told, true);
}

void waits_for(struct pollfd *polls, int count, int64_t ms) {
    int64_t until = console_now_ms() + ms;
    while (poll(polls, (nfds_t)count, 0) <= 0 && !atomic_exchange(&told, false) && console_now_ms() < until) vTaskDelay(1);
}

#else

#include "esp_vfs_eventfd.h"

#include <unistd.h>

static int told = -1;

bool waits_open(void) {
    esp_vfs_eventfd_config_t config = ESP_VFS_EVENTD_CONFIG_DEFAULT();
    if (esp_vfs_eventfd_register(&config) == ESP_OK) told = eventfd(0, 0);
    return told >= 0;
}

void waits_tell(void) {
    (void)write(told, &(uint64_t){1}, sizeof(uint64_t));
}

void waits_for(struct pollfd *polls, int count, int64_t ms) {
    uint64_t times;
    polls[count] = (struct pollfd){.fd = told, .events = POLLIN};
    for (int i = 0; i < count; i++) polls[i].revents = 0;
    if (poll(polls, (nfds_t)(count + 1), (int)ms) > 0 && polls[count].revents) (void)read(told, &times, sizeof times);
}

#endif
