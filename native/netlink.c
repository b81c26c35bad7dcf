// rtnetlink (RFC 3549): MTU, queue length, up and down, addresses and routes of one interface.
// Called by interface.c over a socket made in the device's network namespace, which keeps belonging to it whichever thread asks.
#include "netlink.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REPLY_OCTETS 32768

struct request {
  struct nlmsghdr header;
  union {
    struct ifinfomsg link;
    struct ifaddrmsg address;
    struct rtmsg route;
  } body;
  uint8_t attributes[256];
};

// Is given each answer that is not the acknowledgement; whatever it looks for, it notes in `context`.
typedef void (*answer)(const struct nlmsghdr *message, void *context);

int netlink_open(struct netlink *netlink) {
  netlink->sequence = 0;
  netlink->descriptor = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return netlink->descriptor < 0 ? -errno : 0;
}

static void begin(struct request *request, uint16_t type, uint16_t flags, size_t body) {
  memset(request, 0, sizeof *request);
  request->header.nlmsg_len = NLMSG_LENGTH(body);
  request->header.nlmsg_type = type;
  request->header.nlmsg_flags = NLM_F_REQUEST | flags;
}

static void add(struct request *request, uint16_t type, const void *value, size_t length) {
  struct rtattr *attribute = (struct rtattr *)((uint8_t *)request + NLMSG_ALIGN(request->header.nlmsg_len));
  attribute->rta_type = type;
  attribute->rta_len = RTA_LENGTH(length);
  memcpy(RTA_DATA(attribute), value, length);
  request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
}

static const struct rtattr *find(const struct nlmsghdr *message, size_t body, uint16_t type) {
  int left = (int)NLMSG_PAYLOAD(message, body);
  const struct rtattr *attribute = (const struct rtattr *)((const uint8_t *)NLMSG_DATA(message) + NLMSG_ALIGN(body));
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
    if (attribute->rta_type == type) return attribute;
  return NULL;
}

static int32_t find_integer(const struct nlmsghdr *message, size_t body, uint16_t type) {
  const struct rtattr *attribute = find(message, body, type);
  int32_t value = 0;
  if (attribute != NULL && RTA_PAYLOAD(attribute) >= sizeof value) memcpy(&value, RTA_DATA(attribute), sizeof value);
  return value;
}

// One request and all that answers it, up to its acknowledgement.
static int ask(struct netlink *netlink, struct request *request, answer told, void *context) {
  union {
    struct nlmsghdr header;
    uint8_t octets[REPLY_OCTETS];
  } reply;
  ssize_t received;

  request->header.nlmsg_seq = ++netlink->sequence;
  do {
    received = send(netlink->descriptor, request, request->header.nlmsg_len, 0);
  } while (received < 0 && errno == EINTR);
  if (received < 0) return -errno;

  for (;;) {
    received = recv(netlink->descriptor, &reply, sizeof reply, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return -errno;
    int left = (int)received;
    for (struct nlmsghdr *message = &reply.header; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
      if (message->nlmsg_seq != netlink->sequence) continue;
      if (message->nlmsg_type == NLMSG_DONE) return 0;
      if (message->nlmsg_type == NLMSG_ERROR) return ((struct nlmsgerr *)NLMSG_DATA(message))->error;
      if (told != NULL) told(message, context);
    }
  }
}

static void note_link(const struct nlmsghdr *message, void *context) {
  struct link_facts *facts = context;
  const struct ifinfomsg *link = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWLINK) return;
  facts->index = link->ifi_index;
  facts->mtu = find_integer(message, sizeof *link, IFLA_MTU);
  facts->queue_length = find_integer(message, sizeof *link, IFLA_TXQLEN);
  facts->up = (link->ifi_flags & IFF_UP) != 0;
}

int netlink_get_link(struct netlink *netlink, const char *name, struct link_facts *facts) {
  struct request request;
  memset(facts, 0, sizeof *facts);
  begin(&request, RTM_GETLINK, NLM_F_ACK, sizeof request.body.link);
  add(&request, IFLA_IFNAME, name, strlen(name) + 1);
  return ask(netlink, &request, note_link, facts);
}

int netlink_set_link(struct netlink *netlink, int32_t index, int32_t mtu, int32_t queue_length, int32_t up) {
  struct request request;
  begin(&request, RTM_NEWLINK, NLM_F_ACK, sizeof request.body.link);
  request.body.link.ifi_index = index;
  if (mtu != UNCHANGED) add(&request, IFLA_MTU, &mtu, sizeof mtu);
  if (queue_length != UNCHANGED) add(&request, IFLA_TXQLEN, &queue_length, sizeof queue_length);
  if (up != UNCHANGED) {
    request.body.link.ifi_change = IFF_UP;
    request.body.link.ifi_flags = up ? IFF_UP : 0;
  }
  return ask(netlink, &request, NULL, NULL);
}

// The address that the kernel answers on, of an entry of this interface; false for anything else.
static bool read_entry(const struct nlmsghdr *message, int32_t index, struct internet_address *address) {
  const struct ifaddrmsg *entry = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWADDR || (int32_t)entry->ifa_index != index) return false;
  const struct rtattr *attribute = find(message, sizeof *entry, IFA_LOCAL);
  if (attribute == NULL) attribute = find(message, sizeof *entry, IFA_ADDRESS);
  if (attribute == NULL || RTA_PAYLOAD(attribute) > sizeof address->octets) return false;
  *address = (struct internet_address){entry->ifa_family, (uint8_t)RTA_PAYLOAD(attribute), entry->ifa_prefixlen, {0}};
  memcpy(address->octets, RTA_DATA(attribute), address->length);
  return true;
}

struct address_search {
  const struct internet_address *address;
  int32_t index;
  bool found;
  bool is_tentative;
};

static void match_address(const struct nlmsghdr *message, void *context) {
  struct address_search *search = context;
  const struct ifaddrmsg *entry = NLMSG_DATA(message);
  struct internet_address address;
  const struct internet_address *wanted = search->address;
  if (!read_entry(message, search->index, &address) || address.family != wanted->family || address.prefix != wanted->prefix) return;
  if (address.length != wanted->length || memcmp(address.octets, wanted->octets, wanted->length) != 0) return;
  search->found = true;
  search->is_tentative = (entry->ifa_flags & IFA_F_TENTATIVE) != 0;
}

static struct address_search find_address(struct netlink *netlink, int32_t index,
                                          const struct internet_address *address) {
  struct request request;
  struct address_search search = {address, index, false, false};
  begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof request.body.address);
  request.body.address.ifa_family = address->family;
  if (ask(netlink, &request, match_address, &search) != 0) search.found = false;
  return search;
}

struct address_list {
  int32_t index;
  struct internet_address *list;
  int count;
  int most;
};

static void list_address(const struct nlmsghdr *message, void *context) {
  struct address_list *addresses = context;
  struct internet_address address;
  if (addresses->count < addresses->most && read_entry(message, addresses->index, &address)) addresses->list[addresses->count++] = address;
}

int netlink_list_addresses(struct netlink *netlink, int32_t index, struct internet_address *list, int most) {
  struct request request;
  struct address_list addresses = {index, list, 0, most};
  begin(&request, RTM_GETADDR, NLM_F_DUMP, sizeof request.body.address);
  request.body.address.ifa_family = AF_UNSPEC;
  int error = ask(netlink, &request, list_address, &addresses);
  return error < 0 ? error : addresses.count;
}

int netlink_add_address(struct netlink *netlink, int32_t index, const struct internet_address *address) {
  struct request request;
  begin(&request, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, sizeof request.body.address);
  request.body.address.ifa_family = address->family;
  request.body.address.ifa_prefixlen = address->prefix;
  request.body.address.ifa_index = (uint32_t)index;
  // Usable at once: on a link with one other end there is nobody to ask whether the address is taken (RFC 4862 §5.4).
  request.body.address.ifa_flags = address->family == AF_INET6 ? IFA_F_NODAD : 0;
  add(&request, IFA_LOCAL, address->octets, address->length);
  add(&request, IFA_ADDRESS, address->octets, address->length);
  int result = ask(netlink, &request, NULL, NULL);
  // Whoever may only attach to a device made beforehand finds its addresses there.
  if (result == -EPERM && find_address(netlink, index, address).found) return 0;
  return result;
}

#define ANY_DEVICE 0

struct route_search {
  uint8_t prefix;
  uint8_t type;
  int32_t index;
  bool found;
};

static void match_route(const struct nlmsghdr *message, void *context) {
  struct route_search *search = context;
  const struct rtmsg *route = NLMSG_DATA(message);
  if (message->nlmsg_type != RTM_NEWROUTE || route->rtm_type != search->type) return;
  if (route->rtm_dst_len != search->prefix) return;
  if (search->index == ANY_DEVICE || find_integer(message, sizeof *route, RTA_OIF) == search->index)
    search->found = true;
}

// Whether what the kernel would do with a packet to the destination is a route of this type and this very prefix by this device.
static bool has_route(struct netlink *netlink, int32_t index, const struct internet_address *to, uint8_t prefix,
                      uint8_t type) {
  struct request request;
  struct route_search search = {prefix, type, index, false};
  begin(&request, RTM_GETROUTE, NLM_F_ACK, sizeof request.body.route);
  request.body.route.rtm_family = to->family;
  request.body.route.rtm_dst_len = (uint8_t)(to->length * 8);
  request.body.route.rtm_flags = RTM_F_FIB_MATCH;
  add(&request, RTA_DST, to->octets, to->length);
  return ask(netlink, &request, match_route, &search) == 0 && search.found;
}

// The kernel makes an IPv6 address usable in a work queue of its own, some milliseconds after the device is up. An address
// without duplicate address detection is not tentative even before that, and yet its local route is put in there: a packet
// that comes sooner matches the route to the device's network alone, and is dropped as one to be forwarded. Where another
// device has the address too, its route will do.
bool netlink_is_usable(struct netlink *netlink, int32_t index, const struct internet_address *address) {
  struct address_search search = find_address(netlink, index, address);
  return search.found && !search.is_tentative &&
         has_route(netlink, ANY_DEVICE, address, (uint8_t)(address->length * 8), RTN_LOCAL);
}

int netlink_add_route(struct netlink *netlink, int32_t index, const struct internet_address *to,
                      const struct internet_address *via) {
  struct request request;
  // Exclusive: a route by another device to the same prefix is somebody's, and is not taken away.
  begin(&request, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof request.body.route);
  request.body.route.rtm_family = to->family;
  request.body.route.rtm_dst_len = to->prefix;
  request.body.route.rtm_table = RT_TABLE_MAIN;
  request.body.route.rtm_protocol = RTPROT_STATIC;
  request.body.route.rtm_scope = via == NULL && to->family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  request.body.route.rtm_type = RTN_UNICAST;
  if (to->prefix > 0) add(&request, RTA_DST, to->octets, to->length);
  add(&request, RTA_OIF, &index, sizeof index);
  if (via != NULL) add(&request, RTA_GATEWAY, via->octets, via->length);
  int result = ask(netlink, &request, NULL, NULL);
  if ((result == -EEXIST || result == -EPERM) && has_route(netlink, index, to, to->prefix, RTN_UNICAST))
    return 0;
  return result;
}
