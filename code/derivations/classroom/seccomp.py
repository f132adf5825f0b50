"""A filter of system calls: no new process or thread, no socket, no mount, no memory that the limits do not count, and
no way out of the hands of the process that started it.

bubblewrap takes the filter as a program of the kernel's classic BPF machine and installs it before the first
instruction of the student's process.
"""
import platform
import struct

__all__ = ["UnknownMachine", "program"]

EPERM, ENOSYS = 1, 38
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, EQUAL, ABOVE, RETURN = 0x20, 0x15, 0x35, 0x06      # BPF: load word, jump if equal, jump if >=, return
X32 = 0x40000000                                         # x86-64: the same calls under other numbers

# Numbers of the calls on (x86-64, arm64); None where a machine does not have the call.
REFUSED = {
    # Processes and threads. Neither is needed, and without them nothing survives or multiplies.
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220),
    # Its group and the signal at its parent's death are what ends it: it must not change them.
    "setsid": (112, 157), "setpgid": (109, 154),
    # Other name spaces, where mounts and limits would start afresh.
    "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41),
    "mount": (165, 40), "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442), "open_tree_attr": (467, 467),
    # Memory beside the process's own, which its limit would not count.
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180), "io_uring_setup": (425, 425),
    # Other processes' memory, and parts of the kernel with a long list of past holes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "bpf": (321, 280),
    "userfaultfd": (323, 282), "perf_event_open": (298, 241), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "open_by_handle_at": (304, 265), "kcmp": (312, 272), "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440), "modify_ldt": (154, None), "fanotify_init": (300, 262),
    # The network name space is empty anyway; some families of sockets have none.
    "socket": (41, 198),
}
PRCTL, OPTIONS = (157, 167), (1, 4)    # PR_SET_PDEATHSIG; PR_SET_DUMPABLE: we look at its files from outside
CLONE3 = 435    # same number everywhere; its flags lie in memory, so libraries must be told that it does not exist
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


class UnknownMachine(RuntimeError):
    """The filter is not written for this kind of processor."""


def program(machine=None):
    """The filter as bytes, for bubblewrap's ``--seccomp``.

    Parameters
    ----------
    machine : str, optional
        Kind of processor, as ``platform.machine()`` says.

    Raises
    ------
    UnknownMachine

    Examples
    --------
    >>> len(program("x86_64")) % 8
    0
    """
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        raise UnknownMachine(f"the filter of system calls knows {', '.join(ARCHITECTURES)}, not {machine}")
    column, architecture = ARCHITECTURES[machine]
    steps = [
        _step(LOAD, 4), _step(EQUAL, architecture, 1, 0), _step(RETURN, KILL),
        _step(LOAD, 0), _step(ABOVE, X32, 0, 1), _step(RETURN, KILL),
        _step(EQUAL, CLONE3, 0, 1), _step(RETURN, ERRNO | ENOSYS),
    ]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            steps += [_step(EQUAL, numbers[column], 0, 1), _step(RETURN, ERRNO | EPERM)]
    steps += [_step(EQUAL, PRCTL[column], 1, 0), _step(RETURN, ALLOW), _step(LOAD, 16)]    # the first argument
    for option in OPTIONS:
        steps += [_step(EQUAL, option, 0, 1), _step(RETURN, ERRNO | EPERM)]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _step(code, value, if_true=0, if_false=0):
    return struct.pack("=HBBI", code, if_true, if_false, value)
