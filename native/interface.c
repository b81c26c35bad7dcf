// The device's interface from JavaScript: what it is like, and MTU, queue length, addresses and routes to set.
#include "device.h"
#include "outgoing.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

// facts(device, name) -> { index, mtu, queueLength, up }
static napi_value facts(napi_env env, napi_callback_info info) {
  napi_value values[2], result;
  char name[IFNAMSIZ];
  struct link_facts found;
  struct device *device = device_argument(env, info, 2, values);
  if (device == NULL || !read_text(env, values[1], "name", name, sizeof name)) return NULL;
  int error = netlink_get_link(&device->netlink, name, &found);
  if (error < 0) {
    throw_errno(env, -error, "RTM_GETLINK");
    return NULL;
  }
  device->index = found.index;
  napi_create_object(env, &result);
  set_integer(env, result, "index", found.index);
  set_integer(env, result, "mtu", found.mtu);
  set_integer(env, result, "queueLength", found.queue_length);
  set_integer(env, result, "up", found.up);
  return result;
}

// configure(device, mtu, queueLength, up); -1 leaves a value as it is
static napi_value configure(napi_env env, napi_callback_info info) {
  napi_value values[4];
  int32_t mtu, queue_length, up;
  struct device *device = device_argument(env, info, 4, values);
  if (device == NULL || !read_integer(env, values[1], "mtu", UNCHANGED, 65535, &mtu) ||
      !read_integer(env, values[2], "queueLength", UNCHANGED, INT32_MAX, &queue_length) ||
      !read_integer(env, values[3], "up", UNCHANGED, 1, &up))
    return NULL;
  int error = netlink_set_link(&device->netlink, device->index, mtu, queue_length, up);
  if (error < 0) throw_errno(env, -error, "RTM_NEWLINK");
  return NULL;
}

static bool read_address(napi_env env, napi_value value, const char *name, struct internet_address *address) {
  char text[INET6_ADDRSTRLEN];
  if (!read_text(env, value, name, text, sizeof text)) return false;
  memset(address, 0, sizeof *address);
  address->family = strchr(text, ':') == NULL ? AF_INET : AF_INET6;
  address->length = address->family == AF_INET ? 4 : 16;
  if (inet_pton(address->family, text, address->octets) == 1) return true;
  throw_range(env, "not an IP address");
  return false;
}

static bool read_network(napi_env env, napi_value *values, struct internet_address *address) {
  int32_t prefix;
  if (!read_address(env, values[0], "address", address) ||
      !read_integer(env, values[1], "prefix", 0, address->length * 8, &prefix))
    return false;
  address->prefix = (uint8_t)prefix;
  return true;
}

// addAddress(device, address, prefix)
static napi_value add_address(napi_env env, napi_callback_info info) {
  napi_value values[3];
  struct internet_address address;
  struct device *device = device_argument(env, info, 3, values);
  if (device == NULL || !read_network(env, values + 1, &address)) return NULL;
  int error = netlink_add_address(&device->netlink, device->index, &address);
  if (error < 0) throw_errno(env, -error, "RTM_NEWADDR");
  return NULL;
}

// isUsable(device, address, prefix) -> 0 or 1
static napi_value is_usable(napi_env env, napi_callback_info info) {
  napi_value values[3];
  struct internet_address address;
  struct device *device = device_argument(env, info, 3, values);
  if (device == NULL || !read_network(env, values + 1, &address)) return NULL;
  return make_integer(env, netlink_is_usable(&device->netlink, device->index, &address));
}

// join(device) -> how many long packets to the addresses that the device has now leave as one at most, 0 where none do
static napi_value join(napi_env env, napi_callback_info info) {
  napi_value values[1];
  struct device *device = device_argument(env, info, 1, values);
  if (device == NULL) return NULL;
  struct outgoing *outgoing = device->outgoing;
  int count = 0;
  if (device->header > 0 && !device->is_software && kernel_takes_joined())
    count = netlink_list_addresses(&device->netlink, device->index, outgoing->own, MOST_OWN);
  outgoing->own_count = count < 0 ? 0 : count;
  return make_integer(env, outgoing->own_count > 0 ? MOST_ROWS : 0);
}

// addRoute(device, address, prefix, gateway or null)
static napi_value add_route(napi_env env, napi_callback_info info) {
  napi_value values[4];
  struct internet_address to, via;
  struct device *device = device_argument(env, info, 4, values);
  if (device == NULL || !read_network(env, values + 1, &to)) return NULL;
  bool is_direct = is_null(env, values[3]);
  if (!is_direct && !read_address(env, values[3], "gateway", &via)) return NULL;
  int error = netlink_add_route(&device->netlink, device->index, &to, is_direct ? NULL : &via);
  if (error < 0) throw_errno(env, -error, "RTM_NEWROUTE");
  return NULL;
}

void add_interface(napi_env env, napi_value exports, void *environment) {
  add_function(env, exports, "facts", facts, environment);
  add_function(env, exports, "configure", configure, environment);
  add_function(env, exports, "addAddress", add_address, environment);
  add_function(env, exports, "isUsable", is_usable, environment);
  add_function(env, exports, "join", join, environment);
  add_function(env, exports, "addRoute", add_route, environment);
}
