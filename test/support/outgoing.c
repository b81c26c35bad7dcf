// Drives the addon's way out (native/outgoing.c) over a socket pair in the place of a device, with room for so many octets only: `outgoing
// ring|each|joined ROOM`. A batch is written again and again, with a few packets read in between, until all of it is out; then what came is printed, a
// line a packet. `joined`: the rows are one flow's. Built with: cc -D_GNU_SOURCE -I native -o outgoing test/support/outgoing.c
// native/{outgoing,segment,join,merge,ring,checksum}.c
#include "outgoing.h"
#include "packet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROWS = 12, STEP = 65536, SIZE = 1000, READ_AT_ONCE = 5, JOINED_TEXT = 20000 };

static uint8_t arena[ROWS * STEP];
static int32_t offsets[ROWS], lengths[ROWS];

// A segment of TCP over IPv4 whose octets are numbered, with the header that asks for cuts where `size` is not 0.
static void write_row(int32_t row, size_t text, size_t size) {
  uint8_t *packet = arena + (size_t)row * STEP + 16;
  memset(packet - OFFLOAD_HEADER, 0, OFFLOAD_HEADER + 40);
  packet[0] = 0x45;
  write16(packet + 2, 40 + text);
  packet[5] = (uint8_t)(row * 10);
  packet[9] = TCP;
  packet[20 + 1] = (uint8_t)row;
  packet[32] = 0x50;
  packet[33] = ACK | PSH | CWR;
  for (size_t at = 0; at < text; at++) packet[40 + at] = (uint8_t)(row + at / 7);
  uint8_t *header = packet - OFFLOAD_HEADER;
  header[HEADER_FLAGS] = NEEDS_CHECKSUM;
  header[HEADER_TYPE] = size > 0 ? TYPE_TCP4 : 0;
  write16_little(header + HEADER_SIZE, size);
  write16_little(header + HEADER_START, 20);
  write16_little(header + HEADER_FIELD, TCP_CHECKSUM);
  offsets[row] = (int32_t)(packet - arena);
  lengths[row] = (int32_t)(40 + text);
}

static bool is_joined;

// The row becomes part of a flow, whose octets are numbered from its beginning.
static void continue_flow(int32_t row) {
  uint8_t *packet = arena + offsets[row];
  packet[6] = DONT_FRAGMENT;
  packet[20 + 1] = 0;
  packet[33] = ACK;
  uint32_t sequence = (uint32_t)row * JOINED_TEXT;
  write16(packet + 24, sequence >> 16);
  write16(packet + 26, sequence);
  for (size_t at = 0; at < JOINED_TEXT; at++) packet[40 + at] = (uint8_t)((sequence + at) / 7);
  write16_little(packet - OFFLOAD_HEADER + HEADER_LENGTH, 40);
}

static void print_packet(const uint8_t *header, size_t length) {
  const uint8_t *packet = header + OFFLOAD_HEADER;
  uint32_t sequence = read32(packet + 24);
  int row = packet[21];
  size_t wrong = 0;
  for (size_t at = 40; at < length - OFFLOAD_HEADER; at++) wrong += packet[at] != (uint8_t)(row + (at - 40 + sequence) / 7);
  printf("row %d id %d at %u flags %02x length %d, %zu octets, %zu wrong, header %d %d\n", row, read16(packet + 4), sequence, packet[33],
         read16(packet + 2), length - OFFLOAD_HEADER, wrong, header[HEADER_FLAGS], header[HEADER_TYPE]);
}

static int read_some(int descriptor, int most) {
  static uint8_t octets[ROWS * STEP];
  int count = 0;
  for (; count < most; count++) {
    ssize_t length = read(descriptor, octets, sizeof octets);
    if (length <= 0) break;
    print_packet(octets, (size_t)length);
  }
  return count;
}

static int32_t write_rows(struct outgoing *outgoing, int32_t end) {
  struct rows rows = {.bytes = arena, .offsets = offsets, .lengths = lengths};
  for (int32_t row = 0; row < end; row++)
    if (is_joined) {
      if (!join_row(outgoing, &rows, row)) add_packet(outgoing, &rows, row, OFFLOAD_HEADER);
    } else if (add_segments(outgoing, &rows, row) < 0) exit(3);
  flush_pieces(outgoing, &rows);
  if (rows.refused > 0 && rows.error != -EAGAIN) exit(4);
  return rows.refused;
}

int main(int count, char **words) {
  static struct outgoing outgoing;
  int pair[2], room = count > 2 ? atoi(words[2]) : 0;
  if (room <= 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) < 0) return 1;
  if (setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0) setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  outgoing.descriptor = pair[0];
  outgoing.ring = strcmp(words[1], "ring") == 0 ? open_ring(pair[0]) : NULL;
  if (outgoing.ring == NULL && strcmp(words[1], "ring") == 0) {
    printf("no ring\n");
    return 0;
  }
  for (int32_t row = 0; row < ROWS; row++) write_row(row, row % 3 == 0 ? 300 : 20500 + (size_t)row, row % 3 == 0 ? 0 : SIZE);
  is_joined = strcmp(words[1], "joined") == 0;
  if (is_joined) {
    // The rows go to 0.0.0.0.
    outgoing.own_count = 1;
    outgoing.own[0].length = 4;
    for (int32_t row = 0; row < ROWS; row++) {
      write_row(row, JOINED_TEXT, SIZE);
      continue_flow(row);
    }
  }
  int turns = 0;
  for (int32_t left = ROWS; left > 0; turns++) {
    left = write_rows(&outgoing, left);
    if (left > 0) read_some(pair[1], READ_AT_ONCE);
  }
  while (read_some(pair[1], STEP) > 0);
  fprintf(stderr, "%d\n", turns);
  close_ring(outgoing.ring);
  return 0;
}
