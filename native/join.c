// Departing super-segments of one flow that follow each other, to the kernel's own TCP: written as one packet of up to half a megabyte, which goes through
// the kernel once, wakes its reader once and is acknowledged once. Linux calls such packets BIG TCP. In IPv4 their length is 0, in IPv6 it stands
// in an option (RFC 2675). What the kernel would forward is left as it is: it would cut these itself where the next device takes no more than 64 kB.
#include "outgoing.h"
#include "packet.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

// GRO_MAX_SIZE of Linux; more than this many octets would not fit the pages of a packet either.
#define LONGEST_JOINED (8 * 65535)
#define LONGEST_LENGTH 65535
#define JUMBO_OPTION 0xc2
#define JUMBO_OCTETS 8

bool kernel_takes_joined(void) {
  struct utsname name;
  int major, minor;
  return uname(&name) == 0 && sscanf(name.release, "%d.%d", &major, &minor) == 2 && (major > 6 || (major == 6 && minor >= 3));
}

struct segment {
  uint8_t *packet;
  size_t length;
  // Where TCP begins, and where its text does.
  size_t tcp;
  size_t text;
};

// False for all that is not a super-segment of TCP with ACK and at most PSH.
static bool read_segment(const struct rows *rows, int32_t row, struct segment *segment) {
  uint8_t *packet = rows->bytes + rows->offsets[row];
  const uint8_t *header = packet - OFFLOAD_HEADER;
  size_t length = (size_t)rows->lengths[row], tcp = read16_little(header + HEADER_START), text = read16_little(header + HEADER_LENGTH);
  *segment = (struct segment){packet, length, tcp, text};
  if (header[HEADER_FLAGS] != NEEDS_CHECKSUM || read16_little(header + HEADER_FIELD) != TCP_CHECKSUM) return false;
  if (text < tcp + TCP_HEADER || text + JUMBO_OCTETS > LONGEST_HEADERS || text >= length) return false;
  if (header[HEADER_TYPE] == TYPE_TCP4 ? tcp != IPV4_HEADER || packet[0] != 0x45 || (packet[6] & DONT_FRAGMENT) == 0
                                       : header[HEADER_TYPE] != TYPE_TCP6 || tcp != IPV6_HEADER || packet[6] != TCP)
    return false;
  return (packet[tcp + 13] | PSH) == (ACK | PSH);
}

static bool follows(const struct segment *before, const struct segment *segment) {
  size_t text = before->length - before->text, size = read16_little(before->packet - OFFLOAD_HEADER + HEADER_SIZE);
  return size > 0 && text % size == 0 &&
         memcmp(before->packet - OFFLOAD_HEADER, segment->packet - OFFLOAD_HEADER, OFFLOAD_HEADER) == 0 &&
         have_alike_headers(before->packet, segment->packet, segment->tcp, segment->text) &&
         read32(segment->packet + segment->tcp + 4) == (uint32_t)(read32(before->packet + before->tcp + 4) + text);
}

static bool is_to_own(const struct outgoing *outgoing, const struct segment *segment) {
  size_t length = segment->tcp == IPV4_HEADER ? 4 : 16;
  const uint8_t *destination = segment->packet + segment->tcp - length;
  for (int at = 0; at < outgoing->own_count; at++)
    if (outgoing->own[at].length == length && memcmp(outgoing->own[at].octets, destination, length) == 0) return true;
  return false;
}

// The headers of `octets` of text, by the first row's.
static void write_headers(struct iovec *part, uint8_t *headers, const struct segment *first, size_t octets) {
  uint8_t *packet = headers + OFFLOAD_HEADER;
  size_t tcp = first->tcp, message = first->text - tcp + octets;
  bool is_ipv4 = tcp == IPV4_HEADER, is_jumbo = (is_ipv4 ? tcp : 0) + message > LONGEST_LENGTH;
  size_t added = is_jumbo && !is_ipv4 ? JUMBO_OCTETS : 0;
  memcpy(headers, first->packet - OFFLOAD_HEADER, OFFLOAD_HEADER + tcp);
  memcpy(packet + tcp + added, first->packet + tcp, first->text - tcp);
  if (is_ipv4) {
    write16(packet + 2, is_jumbo ? 0 : tcp + message);
    write_ipv4_checksum(packet);
  } else {
    write16(packet + 4, is_jumbo ? 0 : message);
  }
  uint16_t partial = fold_sum(pseudo_sum(packet, TCP, message));
  memcpy(packet + tcp + added + TCP_CHECKSUM, &partial, 2);
  if (added > 0) {
    size_t payload = message + JUMBO_OCTETS;
    uint8_t option[JUMBO_OCTETS] = {TCP, 0, JUMBO_OPTION, 4};
    write16(option + 4, payload >> 16);
    write16(option + 6, payload);
    memcpy(packet + tcp, option, JUMBO_OCTETS);
    packet[6] = 0;
    write16_little(headers + HEADER_LENGTH, first->text + JUMBO_OCTETS);
    write16_little(headers + HEADER_START, tcp + JUMBO_OCTETS);
  }
  *part = (struct iovec){headers, OFFLOAD_HEADER + first->text + added};
}

bool join_row(struct outgoing *outgoing, const struct rows *rows, int32_t row) {
  if (outgoing->own_count == 0 || outgoing->count == 0) return false;
  if (outgoing->rows_apart > 0) {
    outgoing->rows_apart--;
    return false;
  }
  struct piece *piece = outgoing->pieces + outgoing->count - 1;
  struct segment first, before, segment;
  int32_t last = piece->row + piece->rows - 1;
  if (piece->rows == MOST_ROWS || !read_segment(rows, row, &segment) || !read_segment(rows, last, &before)) return false;
  if (!follows(&before, &segment) || !is_to_own(outgoing, &segment) || !read_segment(rows, piece->row, &first)) return false;
  // The place of the text in its stream says how much there is of it.
  size_t octets = (uint32_t)(read32(segment.packet + segment.tcp + 4) - read32(first.packet + first.tcp + 4)) + segment.length - segment.text;
  if (first.text + JUMBO_OCTETS + octets > LONGEST_JOINED) return false;

  if (piece->rows == 1) {
    piece->parts[1] = (struct iovec){first.packet + first.text, first.length - first.text};
    piece->count = 2;
  }
  piece->parts[piece->count++] = (struct iovec){segment.packet + segment.text, segment.length - segment.text};
  piece->rows++;
  // PSH, where any of them has it.
  first.packet[first.tcp + 13] |= segment.packet[segment.tcp + 13];
  write_headers(piece->parts, outgoing->headers[piece - outgoing->pieces], &first, octets);
  return true;
}
