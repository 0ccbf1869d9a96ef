#include "watchdog.h"

#include "sdkconfig.h"

static Remembered *noted;
static const Shell *watched;

#if CONFIG_IDF_TARGET_LINUX

/* There is none: the turns of loops end a module that does not. */
bool watchdog_open(Remembered *remembered, const Shell *shell) {
    noted = remembered;
    watched = shell;
    return noted && watched;
}

void watchdog_feed(void) {
}

#else

#include "esp_task_wdt.h"

bool watchdog_open(Remembered *remembered, const Shell *shell) {
    const esp_task_wdt_config_t config = {.timeout_ms = WATCHDOG_MS, .trigger_panic = true};
    noted = remembered;
    watched = shell;
    /* ESP-IDF started it already, with times of its own. */
    return esp_task_wdt_reconfigure(&config) == ESP_OK && esp_task_wdt_add(NULL) == ESP_OK;
}

void watchdog_feed(void) {
    (void)esp_task_wdt_reset();
}

/* ESP-IDF calls it from the watchdog's interrupt, before the panic. */
void esp_task_wdt_isr_user_handler(void);
void esp_task_wdt_isr_user_handler(void) {
    if (!noted) return;
    remembered_late(noted, shell_running(watched));
    remembered_keep();
}

#endif
