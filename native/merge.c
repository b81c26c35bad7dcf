// Arriving packets of a device to which the kernel's segmentation is not left: segments in order of one flow become one super-segment, by the
// rules of the kernel's GRO. A checksum that the kernel does not vouch for is verified. Whatever is odd about a packet is left to
// TypeScript, as it came.
#include "offload.h"
#include "packet.h"

#include <string.h>

// Octets of the IP header, where the packet is whole, is no fragment, and has nothing between that header and its transport's; else 0.
static size_t plain_ip_header(const uint8_t *packet, size_t length) {
  if (length >= IPV4_HEADER && packet[0] == 0x45)
    return read16(packet + 2) == length && (read16(packet + 6) & 0x3fff) == 0 ? IPV4_HEADER : 0;
  if (length >= IPV6_HEADER && packet[0] >> 4 == 6) return (size_t)read16(packet + 4) + IPV6_HEADER == length ? IPV6_HEADER : 0;
  return 0;
}

static uint8_t protocol_of(const uint8_t *packet, size_t ip_header) {
  return packet[ip_header == IPV4_HEADER ? 9 : 6];
}

// The sum of a transport header and its text, the two being apart.
static bool is_right(const uint8_t *packet, size_t ip_header, size_t headers, const uint8_t *text, size_t length) {
  uint64_t sum = pseudo_sum(packet, protocol_of(packet, ip_header), length - ip_header);
  sum = sum_octets(packet + ip_header, headers - ip_header, sum);
  return fold_sum(sum_octets(text, length - headers, sum)) == 0xffff;
}

static bool ip_header_is_right(const uint8_t *packet, size_t ip_header) {
  return ip_header == IPV6_HEADER || fold_sum(sum_octets(packet, IPV4_HEADER, 0)) == 0xffff;
}

// IP's and TCP's headers, where the segment may be one of several, with text or all without; else 0.
static size_t mergeable_headers(const uint8_t *packet, size_t ip_header, size_t length) {
  if (length < ip_header + TCP_HEADER || protocol_of(packet, ip_header) != TCP) return 0;
  // RFC 6864: without "don't fragment" the identification means something, and only one would be left.
  if (ip_header == IPV4_HEADER && (packet[6] & DONT_FRAGMENT) == 0) return 0;
  const uint8_t *tcp = packet + ip_header;
  size_t headers = ip_header + (size_t)(tcp[12] >> 4) * 4;
  if (headers < ip_header + TCP_HEADER || headers > length) return 0;
  return (tcp[13] & (SYN | RST | URG | CWR | ACK)) == ACK ? headers : 0;
}

// Whether the kernel has verified the checksum, or never made it, as with what comes from this machine: the pseudo-header's sum stands in
// its place.
static bool is_vouched_for(const uint8_t *packet, size_t ip_header, const uint8_t *header) {
  if ((header[HEADER_FLAGS] & NEEDS_CHECKSUM) == 0) return (header[HEADER_FLAGS] & DATA_VALID) != 0;
  size_t field = protocol_of(packet, ip_header) == TCP ? TCP_CHECKSUM : UDP_CHECKSUM;
  return read16_little(header + HEADER_START) == ip_header && read16_little(header + HEADER_FIELD) == field;
}

static bool is_right_or_vouched_for(const struct run *run, const uint8_t *headers, const uint8_t *text, size_t length) {
  const uint8_t *header = headers - OFFLOAD_HEADER;
  if (header[HEADER_TYPE] != 0) return false;
  if (is_vouched_for(headers, run->ip_header, header)) return true;
  return header[HEADER_FLAGS] == 0 && is_right(headers, run->ip_header, run->headers, text, length);
}

void begin_run(struct run *run, uint8_t *packet, size_t length) {
  uint8_t *header = packet - OFFLOAD_HEADER;
  run->is_open = false;
  run->segments = 0;
  size_t ip_header = plain_ip_header(packet, length);
  if (ip_header == 0 || header[HEADER_TYPE] != 0) return;
  uint8_t protocol = protocol_of(packet, ip_header);
  size_t least = ip_header + (protocol == TCP ? TCP_HEADER : UDP_HEADER);
  if ((protocol != TCP && protocol != UDP) || length < least) return;
  const uint8_t *transport = packet + ip_header;
  if (!is_vouched_for(packet, ip_header, header)) {
    // RFC 768: no checksum at all, which is not for us to judge; nor is a length that is not the packet's.
    if (protocol == UDP && (read16(transport + UDP_CHECKSUM) == 0 || read16(transport + 4) != length - ip_header)) return;
    if (header[HEADER_FLAGS] != 0 || !is_right(packet, ip_header, ip_header, transport, length)) return;
    header[HEADER_FLAGS] = DATA_VALID;
  }
  size_t headers = mergeable_headers(packet, ip_header, length);
  if (headers == 0 || !ip_header_is_right(packet, ip_header)) return;
  run->packet = packet;
  run->ip_header = ip_header;
  run->headers = headers;
  run->octets = length;
  run->size = length - headers;
  run->next = read32(transport + 4) + (uint32_t)run->size;
  run->segments = 1;
  run->is_open = run->size == 0 ? transport[13] == ACK : (transport[13] & (PSH | FIN)) == 0;
}

bool have_alike_headers(const uint8_t *first, const uint8_t *headers, size_t ip_header, size_t length) {
  if (ip_header == IPV4_HEADER) {
    if (memcmp(headers, first, 2) != 0 || memcmp(headers + 6, first + 6, 4) != 0) return false;
    if (memcmp(headers + 12, first + 12, 8) != 0) return false;
  } else if (memcmp(headers, first, 4) != 0 || memcmp(headers + 6, first + 6, 34) != 0) {
    return false;
  }
  const uint8_t *tcp = headers + ip_header;
  const uint8_t *first_tcp = first + ip_header;
  if (memcmp(tcp, first_tcp, 4) != 0 || memcmp(tcp + 8, first_tcp + 8, 5) != 0) return false;
  if (((tcp[13] ^ first_tcp[13]) & ~(PSH | FIN)) != 0 || memcmp(tcp + 14, first_tcp + 14, 2) != 0) return false;
  return memcmp(tcp + TCP_HEADER, first_tcp + TCP_HEADER, length - ip_header - TCP_HEADER) == 0;
}

static bool is_alike(const struct run *run, const uint8_t *headers) {
  return have_alike_headers(run->packet, headers, run->ip_header, run->headers);
}

// Of acknowledgments without text, each of more than the one before, with the same window and options, the last says all. One that
// has something else to tell, as a duplicate or SACK blocks, stays by itself.
static bool supersede(struct run *run, const uint8_t *headers, size_t length) {
  const uint8_t *tcp = headers + run->ip_header;
  uint8_t *first = run->packet + run->ip_header;
  if (length != run->headers || tcp[13] != ACK || plain_ip_header(headers, length) != run->ip_header) return false;
  if (memcmp(tcp + 4, first + 4, 4) != 0 || (int32_t)(read32(tcp + 8) - read32(first + 8)) <= 0) return false;
  uint8_t before[4];
  memcpy(before, first + 8, 4);
  // For a comparison of all the rest.
  memcpy(first + 8, tcp + 8, 4);
  bool is_it = is_alike(run, headers) && ip_header_is_right(headers, run->ip_header) &&
               is_right_or_vouched_for(run, headers, headers + length, length);
  if (!is_it) {
    memcpy(first + 8, before, 4);
    return false;
  }
  memcpy(run->packet - OFFLOAD_HEADER, headers - OFFLOAD_HEADER, OFFLOAD_HEADER + length);
  if ((headers - OFFLOAD_HEADER)[HEADER_FLAGS] == 0) (run->packet - OFFLOAD_HEADER)[HEADER_FLAGS] = DATA_VALID;
  return true;
}

bool continue_run(struct run *run, const uint8_t *headers, size_t length) {
  if (!run->is_open) return false;
  if (run->size == 0) return supersede(run, headers, length);
  if (length <= run->headers) return false;
  size_t text = length - run->headers;
  if (text > run->size || run->octets + text > LONGEST_MERGED || !is_alike(run, headers)) return false;
  if (plain_ip_header(headers, length) != run->ip_header) return false;
  const uint8_t *tcp = headers + run->ip_header;
  if (read32(tcp + 4) != run->next || !ip_header_is_right(headers, run->ip_header)) return false;
  if (!is_right_or_vouched_for(run, headers, run->packet + run->octets, length)) return false;
  run->octets += text;
  run->next += (uint32_t)text;
  run->segments++;
  run->packet[run->ip_header + 13] |= tcp[13] & (PSH | FIN);
  run->is_open = text == run->size && (tcp[13] & (PSH | FIN)) == 0;
  return true;
}

void end_run(struct run *run) {
  run->is_open = false;
  if (run->segments < 2) return;
  run->segments = 0;
  uint8_t *packet = run->packet;
  uint8_t *header = packet - OFFLOAD_HEADER;
  bool is_ipv4 = run->ip_header == IPV4_HEADER;
  if (is_ipv4) {
    write16(packet + 2, run->octets);
    write_ipv4_checksum(packet);
  } else {
    write16(packet + 4, run->octets - IPV6_HEADER);
  }
  // As the kernel leaves it: the pseudo-header's sum alone.
  uint16_t partial = fold_sum(pseudo_sum(packet, TCP, run->octets - run->ip_header));
  memcpy(packet + run->ip_header + TCP_CHECKSUM, &partial, 2);
  header[HEADER_FLAGS] = NEEDS_CHECKSUM;
  header[HEADER_TYPE] = is_ipv4 ? TYPE_TCP4 : TYPE_TCP6;
  write16_little(header + HEADER_LENGTH, run->headers);
  write16_little(header + HEADER_SIZE, run->size);
  write16_little(header + HEADER_START, run->ip_header);
  write16_little(header + HEADER_FIELD, TCP_CHECKSUM);
}
