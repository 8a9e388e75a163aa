/*
 * Light and buzzer of the virtual reader: the commands of two families of ACS readers (ACR122U API 2.04, 6.2 and 6.7;
 * ACR1252U API 1.09, 5.8). Nothing shines or sounds: each command that was obeyed becomes a line of hexadecimal digits in a
 * file, for whoever wants to know. Real readers know one family; this one knows both.
 */
#ifndef SHELFPOINT_SIGNALS_H
#define SHELFPOINT_SIGNALS_H

#include <ifdhandler.h>
#include <stdio.h>
#include <string.h>

static void note_signal(const char *file_name, const unsigned char *said, DWORD length)
{
    FILE *file = fopen(file_name, "ae");
    if (file == NULL)
        return;
    for (DWORD i = 0; i < length; i++)
        fprintf(file, "%02X", said[i]);
    fputc('\n', file);
    fclose(file);
}

/* Obeys a command of the ACR122U, which also comes as if it were for the card. Length of the answer; 0: not one. */
static DWORD obey_acr122(const char *notes, const unsigned char *said, DWORD length, PUCHAR answer, DWORD room)
{
    int light = length == 9 && memcmp(said, "\xFF\x00\x40", 3) == 0 && said[4] == 4;
    int detection_beep = length == 5 && memcmp(said, "\xFF\x00\x52", 3) == 0;
    if ((!light && !detection_beep) || room < 2)
        return 0;
    note_signal(notes, said, length);
    answer[0] = 0x90;
    answer[1] = 0x00;
    return 2;
}

/* Obeys buzzer (28) and light (29) of the ACR1252U and ACR1281U; they come as escape commands only. */
static DWORD obey_acr1252(const char *notes, const unsigned char *said, DWORD length, PUCHAR answer, DWORD room)
{
    if (length != 6 || memcmp(said, "\xE0\x00\x00", 3) || (said[3] != 0x28 && said[3] != 0x29) || said[4] != 1 || room < 6)
        return 0;
    note_signal(notes, said, length);
    memcpy(answer, "\xE1\x00\x00\x00\x01", 5);
    answer[5] = said[3] == 0x29 ? said[5] : 0;
    return 6;
}

#endif
