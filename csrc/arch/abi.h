/* Choose the one header that numbers the system calls of the ABI being compiled for. */
#ifndef PM_ARCH_ABI_H
#define PM_ARCH_ABI_H

#ifndef __linux__
#error "pymigrate calls Linux: on another system these numbers mean something else"
#endif

/* x32 defines __x86_64__ too, and every MIPS ABI defines __mips__: the narrower test comes first. */
#if defined(__x86_64__) && defined(__ILP32__)
#include "x32.h"
#elif defined(__x86_64__)
#include "x86_64.h"
#elif defined(__i386__)
#include "i386.h"
#elif defined(__arm__) && defined(__ARM_EABI__)
#include "arm-eabi.h"
#elif defined(__powerpc__)
#include "powerpc.h"
#elif defined(__s390__)
#include "s390.h"
#elif defined(__mips__) && _MIPS_SIM == _ABIO32
#include "mips-o32.h"
#elif defined(__mips__) && _MIPS_SIM == _ABIN32
#include "mips-n32.h"
#elif defined(__mips__) && _MIPS_SIM == _ABI64
#include "mips-n64.h"
#elif defined(__sparc__)
#include "sparc.h"
#elif defined(__hppa__)
#include "parisc.h"
#elif defined(__alpha__)
#include "alpha.h"
#elif defined(__ia64__)
#include "ia64.h"
#elif defined(__sh__)
#include "sh.h"
#elif defined(__m68k__)
#include "m68k.h"
#elif defined(__xtensa__)
#include "xtensa.h"
#elif defined(__microblaze__)
#include "microblaze.h"
#elif defined(__aarch64__) || defined(__riscv) || defined(__loongarch__) || defined(__arc__) ||    \
	defined(__csky__) || defined(__hexagon__) || defined(__or1k__) || defined(__nios2__)
#include "generic.h"
#else
#include "unlisted.h"
#endif

/* What one argument of a call travels in; only x32.h has a reason to say otherwise. */
#ifndef PM_REGISTER
#define PM_REGISTER unsigned long
#endif

#endif
