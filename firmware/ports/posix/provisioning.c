#include "provisioning.h"

#include "options.h"
#include "settings_file.h"
#include "text_upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
    const Settings *settings; /* of this start */
    int count;
    char **arguments;
    Settings tried;
    uint8_t text[SETTINGS_FILE_BYTES];
    char path[1000]; /* of the file while it is written */
    char words[300];
} provisioning;

static const char *cannot(const char *what, const char *path, int error) {
    (void)snprintf(provisioning.words, sizeof provisioning.words, "%.200s cannot be %s: %s", path, what, strerror(error));
    return provisioning.words;
}

static int write_all(int file, const char *text, uint32_t length) {
    while (length > 0) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return written < 0 ? errno : EIO;
        text += written;
        length -= (uint32_t)written;
    }
    return fsync(file) == 0 ? 0 : errno;
}

/* The name of a file is on the disk when its directory is. */
static void sync_directory(const char *path) {
    const char *slash = strrchr(path, '/');
    (void)snprintf(provisioning.path, sizeof provisioning.path, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int directory = open(provisioning.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    (void)fsync(directory);
    (void)close(directory);
}

static const char *write_file(const char *path, const char *text, uint32_t length) {
    int size = snprintf(provisioning.path, sizeof provisioning.path, "%s.new", path);
    if (size < 0 || (size_t)size >= sizeof provisioning.path) return cannot("written", path, ENAMETOOLONG);
    (void)unlink(provisioning.path); /* of a start that was cut off, perhaps with other rights */
    int file = open(provisioning.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0) return cannot("written", provisioning.path, errno);
    int error = write_all(file, text, length);
    (void)close(file);
    if (!error && rename(provisioning.path, path) != 0) error = errno;
    if (error) {
        (void)unlink(provisioning.path);
        return cannot("written", path, error);
    }
    sync_directory(path);
    return NULL;
}

static const char *keep(void *context, const char *text, uint32_t length) {
    (void)context;
    Settings *tried = &provisioning.tried;
    const char *file = options_value(provisioning.count, provisioning.arguments, "config");
    if (!file) return "this board was started without --config FILE, and has no place to keep settings";
    memset(tried, 0, sizeof *tried);
    if (!options_try(tried, provisioning.count, provisioning.arguments, text, length)) return tried->error;
    const char *console = provisioning.settings->values[SETTING_CONSOLE].text, *next = tried->values[SETTING_CONSOLE].text;
    if (!next || strcmp(console, next) != 0) {
        return "console: these settings would take the board's console away; give it the option --console, and leave the key out";
    }
    return write_file(file, text, length);
}

void provisioning_open(Line *line, const Settings *settings, int count, char **arguments) {
    static TextUpload upload = {.text = provisioning.text, .capacity = sizeof provisioning.text, .keep = keep};
    provisioning.settings = settings;
    provisioning.count = count;
    provisioning.arguments = arguments;
    line_takes(line, LINE_SETTINGS, &text_uploads, &upload);
}
