#include "heap.h"

#include "sdkconfig.h"

#if CONFIG_IDF_TARGET_LINUX

#include <malloc.h>

static uint64_t before;

void heap_open(void) {
    before = mallinfo2().uordblks;
}

uint64_t heap_bytes(void) {
    uint64_t now = mallinfo2().uordblks;
    return now > before ? now - before : 0;
}

uint64_t heap_allocations(void) {
    return 0; /* nobody counts */
}

#else

#include "esp_heap_caps.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

static size_t free_before;
static TaskHandle_t ours;
static volatile uint32_t allocations;

void heap_open(void) {
    free_before = heap_caps_get_free_size(MALLOC_CAP_DEFAULT);
    ours = xTaskGetCurrentTaskHandle();
}

uint64_t heap_bytes(void) {
    size_t now = heap_caps_get_free_size(MALLOC_CAP_DEFAULT);
    return now < free_before ? free_before - now : 0;
}

uint64_t heap_allocations(void) {
    return allocations;
}

#if CONFIG_HEAP_USE_HOOKS
/* ESP-IDF calls it for each piece of the heap that is given out. */
void esp_heap_trace_alloc_hook(void *ptr, size_t size, uint32_t caps);
void esp_heap_trace_alloc_hook(void *ptr, size_t size, uint32_t caps) {
    (void)ptr;
    (void)size;
    (void)caps;
    if (ours && xTaskGetCurrentTaskHandle() == ours) allocations++;
}
void esp_heap_trace_free_hook(void *ptr);
void esp_heap_trace_free_hook(void *ptr) {
    (void)ptr;
}
#endif

#endif
