/* The name of a POSIX object, as ipclab.building_blocks.kernel_objects.object_name makes it. */
#ifndef POSIX_NAME_H
#define POSIX_NAME_H

#include <limits.h>

struct name {
    char text[NAME_MAX];
};

static struct name object_name(const struct address *address, const char *suffix) {
    const char *slash = strrchr(address->path, '/'), *last = slash ? slash + 1 : address->path;
    struct name name;
    const int length = *last ? snprintf(name.text, sizeof name.text, "/ipclab-%s%s", last, suffix)
                             : snprintf(name.text, sizeof name.text, "/ipclab-%lx%s", address->key, suffix);
    if (length >= (int)sizeof name.text) {
        errno = ENAMETOOLONG;
        fail("%s", address->path);
    }
    return name;
}

#endif
