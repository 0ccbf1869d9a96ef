/* Modules by the line (line.h, upload 02): the signed module file, as update.h takes it. */
#ifndef TWOBYTE_UPDATE_LINE_H
#define TWOBYTE_UPDATE_LINE_H

#include "line.h"

/* Its context is an Update: line_takes(line, LINE_MODULE, &update_uploads, &update). An upload that was broken off goes on where the slot ends. */
extern const LineUploads update_uploads;

#endif
