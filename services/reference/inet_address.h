/* The IPv4 address of a host: getaddrinfo(3). */
#ifndef INET_ADDRESS_H
#define INET_ADDRESS_H

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* 0 if the name is not known yet. Every local address where there is no name. */
static int inet_address(const struct address *address, struct sockaddr_in *found) {
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    *found = (struct sockaddr_in){.sin_family = AF_INET};
    if (*address->host) {
        if (getaddrinfo(address->host, NULL, &hints, &list)) return 0;
        memcpy(found, list->ai_addr, sizeof *found);
        freeaddrinfo(list);
    }
    found->sin_port = htons((uint16_t)address->port);
    return 1;
}

#endif
