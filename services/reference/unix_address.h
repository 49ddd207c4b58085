/* The address of a Unix socket that has a name in the file system: unix(7). */
#ifndef UNIX_ADDRESS_H
#define UNIX_ADDRESS_H

#include <sys/un.h>

static struct sockaddr_un unix_address(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        fail("%s", path);
    }
    strcpy(address.sun_path, path);
    return address;
}

#endif
