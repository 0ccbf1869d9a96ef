#include "lookup.h"

#include "contract.h"
#include "network.h"
#include "settings.h"
#include "waits.h"

#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "sdkconfig.h"

#include <netdb.h>
#include <string.h>

#if CONFIG_IDF_TARGET_LINUX
#define TASK_STACK_BYTES 65536 /* of glibc */
#else
#define TASK_STACK_BYTES 3072
#endif
#define TASK_PRIORITY 0 /* below the loop's: on the linux target it waits within the system */
#define NETWORK_LOOK_MS 100

enum { IDLE, UNDER_WAY, ANSWERED };

static QueueHandle_t asked;

static int32_t resolve(Lookup *lookup) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = lookup->type};
    struct addrinfo *addresses = NULL;
    lookup->count = 0;
    int error = getaddrinfo(lookup->host, lookup->port, &hints, &addresses);
    if (error) return error == EAI_MEMORY ? -REASON_OTHER : -REASON_NAME;
    for (const struct addrinfo *address = addresses; address && lookup->count < LOOKUP_ADDRESSES; address = address->ai_next) {
        if (address->ai_addrlen < sizeof lookup->found[0]) continue;
        memcpy(&lookup->found[lookup->count], address->ai_addr, sizeof lookup->found[0]);
        lookup->count++;
    }
    if (addresses) freeaddrinfo(addresses);
    return lookup->count ? 0 : -REASON_NAME;
}

static void look_up(void *unused) {
    (void)unused;
    Lookup *lookup;
    for (;;) {
        if (xQueueReceive(asked, &lookup, portMAX_DELAY) != pdTRUE) continue;
        while (!network_is_up()) vTaskDelay(pdMS_TO_TICKS(NETWORK_LOOK_MS));
        lookup->answer = resolve(lookup);
        atomic_store(&lookup->stage, ANSWERED);
        waits_tell();
    }
}

bool lookup_open(void) {
    asked = xQueueCreate(SETTINGS_SERVERS, sizeof(Lookup *));
    return asked && xTaskCreate(look_up, "lookup", TASK_STACK_BYTES, NULL, TASK_PRIORITY, NULL) == pdPASS;
}

void lookup_init(Lookup *lookup, const char *host, const char *port, int type) {
    *lookup = (Lookup){.host = host, .port = port, .type = type};
}

void lookup_begin(Lookup *lookup) {
    if (atomic_load(&lookup->stage) == UNDER_WAY) return;
    atomic_store(&lookup->stage, UNDER_WAY);
    /* There is room: each lookup is in the queue at most once. */
    (void)xQueueSend(asked, &lookup, 0);
}

bool lookup_is_answered(Lookup *lookup) {
    return atomic_load(&lookup->stage) == ANSWERED;
}

int32_t lookup_take(Lookup *lookup, uint32_t number, struct sockaddr_in *to) {
    if (atomic_load(&lookup->stage) != ANSWERED) return LOOKUP_PENDING;
    atomic_store(&lookup->stage, IDLE);
    if (lookup->answer == 0) *to = lookup->found[number % lookup->count];
    return lookup->answer;
}
