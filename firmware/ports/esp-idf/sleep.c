#include "sleep.h"

#include "network.h"

#include "esp_system.h"
#include "sdkconfig.h"

#if CONFIG_IDF_TARGET_LINUX

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include <stdlib.h>

/* The process ends: who started it starts it again. */
_Noreturn void sleep_deep(int64_t ms) {
    vTaskDelay(pdMS_TO_TICKS(ms > 1000 ? 1000 : ms));
    exit(EXIT_SUCCESS);
}

#else

#include "esp_sleep.h"

_Noreturn void sleep_deep(int64_t ms) {
    network_close();
    (void)esp_sleep_enable_timer_wakeup((uint64_t)ms * 1000);
    esp_deep_sleep_start();
}

#endif

_Noreturn void sleep_restart(void) {
    network_close();
    esp_restart();
}
