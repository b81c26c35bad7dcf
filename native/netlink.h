// rtnetlink for one interface (netlink.c). Each function returns 0 or a negative errno.
#ifndef TUNSTACK_NETLINK_H
#define TUNSTACK_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

struct link_facts {
  int32_t index;
  int32_t mtu;
  int32_t queue_length;
  int32_t up;
};

struct internet_address {
  uint8_t family;
  uint8_t length; // 4 or 16 octets
  uint8_t prefix;
  uint8_t octets[16];
};

struct netlink {
  int descriptor;
  uint32_t sequence;
};

#define UNCHANGED (-1)
int netlink_open(struct netlink *netlink);
int netlink_get_link(struct netlink *netlink, const char *name, struct link_facts *facts);
int netlink_set_link(struct netlink *netlink, int32_t index, int32_t mtu, int32_t queue_length, int32_t up);
int netlink_add_address(struct netlink *netlink, int32_t index, const struct internet_address *address);
bool netlink_is_usable(struct netlink *netlink, int32_t index, const struct internet_address *address);
// Lists addresses of the interface, at most so many; how many those are.
int netlink_list_addresses(struct netlink *netlink, int32_t index, struct internet_address *list, int most);
int netlink_add_route(struct netlink *netlink, int32_t index, const struct internet_address *to,
                      const struct internet_address *via);

#endif
