#include "logs.h"

#include "waits.h"

#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/message_buffer.h"
#include "freertos/semphr.h"

#include <stdarg.h>
#include <stdio.h>

static MessageBufferHandle_t lines;
static SemaphoreHandle_t one_writer;

/* A line may come in several pieces; each is told as one. */
static int keep(const char *format, va_list arguments) {
    static char text[LOG_LINE_BYTES];
    if (xPortInIsrContext() || xTaskGetSchedulerState() != taskSCHEDULER_RUNNING) return 0;
    if (xSemaphoreTake(one_writer, pdMS_TO_TICKS(10)) != pdTRUE) return 0;
    int length = vsnprintf(text, sizeof text, format, arguments);
    if (length >= (int)sizeof text) length = (int)sizeof text - 1;
    uint32_t plain = length > 0 ? logs_plain(text, (uint32_t)length) : 0;
    if (plain && xMessageBufferSend(lines, text, plain, 0)) waits_tell();
    (void)xSemaphoreGive(one_writer);
    return length;
}

bool logs_open(void) {
    lines = xMessageBufferCreate(LOGS_BYTES);
    one_writer = xSemaphoreCreateMutex();
    if (!lines || !one_writer) return false;
    (void)esp_log_set_vprintf(keep);
    return true;
}

uint32_t logs_take(char *to, uint32_t capacity) {
    return lines ? (uint32_t)xMessageBufferReceive(lines, to, capacity, 0) : 0;
}
