"""cpusets as files tell of them: v1, v2, both, nested, and seen from inside a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from pymigrate import Cpuset, CpusetRefused, InvalidArgument, NodeMask, _files
from pymigrate.kernel.cgroups import Hierarchy, controller_folders, processes_below, unified_folders


def make(folder: Path, **files: str) -> Path:
    """A cgroup made of plain files; their names have dots for two underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.procs").touch()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")
    return folder


def second(folder: Path, mems: str = "", effective: str = "0-3") -> Path:
    return make(
        folder,
        cpuset__mems=mems,
        cpuset__mems__effective=effective,
        cpuset__cpus="",
        cpuset__cpus__effective="0-7",
    )


def first(folder: Path, mems: str, migrate: str, prefix: str = "cpuset__") -> Path:
    names = {
        "mems": mems,
        "effective_mems": mems,
        "cpus": "1",
        "effective_cpus": "1",
        "memory_migrate": migrate,
    }
    return make(folder, **{f"{prefix}{name}": text for name, text in names.items()})


# -- one cgroup


def test_version_2(tmp_path: Path) -> None:
    folder = second(tmp_path / "job", "0,2-3", "2")
    found = Cpuset.read(str(folder))
    assert found == Cpuset(
        folder=str(folder),
        version=2,
        mems=NodeMask("0,2-3"),
        effective_mems=NodeMask(2),
        cpus=frozenset(),
        effective_cpus=frozenset(range(8)),
        migrates=True,
    )
    assert found.to_dict() == {
        "folder": str(folder),
        "version": 2,
        "mems": "0,2-3",
        "effective_mems": "2",
        "cpus": "",
        "effective_cpus": "0-7",
        "migrates": True,
    }


@pytest.mark.parametrize(("migrate", "migrates"), [("0", False), ("1", True)])
@pytest.mark.parametrize("prefix", ["cpuset__", ""])
def test_version_1(tmp_path: Path, migrate: str, migrates: bool, prefix: str) -> None:
    found = Cpuset.read(str(first(tmp_path / "job", "1", migrate, prefix)))
    assert (found.version, found.migrates) == (1, migrates)
    assert (found.mems, found.effective_mems) == (NodeMask(1), NodeMask(1))
    assert found.cpus == found.effective_cpus == {1}


def test_version_1_before_it_told_what_is_granted(tmp_path: Path) -> None:
    folder = first(tmp_path / "job", "0-1", "0")
    (folder / "cpuset.effective_mems").unlink()
    assert Cpuset.read(str(folder)).effective_mems == NodeMask("0-1")


def test_the_root_asks_for_nothing_and_has_all(tmp_path: Path) -> None:
    root = make(tmp_path, cpuset__mems__effective="0-3", cpuset__cpus__effective="0-7")
    found = Cpuset.read(str(root))
    assert (found.mems, found.effective_mems) == (NodeMask(), NodeMask("0-3"))
    assert found.above() is None


def test_above(tmp_path: Path) -> None:
    second(tmp_path, "1", "1")
    below = Cpuset.read(str(second(tmp_path / "below")))
    above = below.above()
    assert above is not None
    assert above.folder == str(tmp_path)


def test_what_is_no_cgroup(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="name its folder"):
        Cpuset.read(str(tmp_path))


def test_a_cgroup_without_the_controller(tmp_path: Path) -> None:
    folder = make(tmp_path / "job")
    with pytest.raises(CpusetRefused, match=r"echo \+cpuset > ") as refused:
        Cpuset.read(str(folder))
    assert refused.value.reason == "no-controller"
    assert refused.value.folder == str(folder)


def test_a_cgroup_that_goes_away(tmp_path: Path) -> None:
    found = Cpuset.read(str(second(tmp_path / "job")))
    (tmp_path / "job" / "cpuset.cpus.effective").unlink()
    with pytest.raises(CpusetRefused) as refused:
        found.again()
    assert refused.value.reason == "gone"
    (tmp_path / "job" / "cgroup.procs").unlink()
    with pytest.raises(CpusetRefused, match="was removed meanwhile") as refused:
        found.again()
    assert refused.value.reason == "gone"


def test_processes_below(tmp_path: Path) -> None:
    for folder, text in ((tmp_path, "7\n0\n"), (tmp_path / "a", ""), (tmp_path / "a/b", "9\n8\n")):
        (make(folder) / "cgroup.procs").write_text(text)
    assert sorted(processes_below(str(tmp_path))) == [7, 8, 9]


# -- of a process


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What /proc is to say; the files of cgroups are real ones."""
    files: dict[str, str] = {"/proc/17/status": "Pid:\t17\n"}
    read = _files.read_text

    def read_text(path: str) -> str:
        if not path.startswith("/proc/"):
            return read(path)
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    monkeypatch.setattr(_files, "read_text", read_text)
    return files


def mount(version: int, place: Path, root: str = "/", options: str = "rw") -> str:
    kind = {1: "cgroup", 2: "cgroup2"}[version]
    where = str(place).replace(" ", "\\040")
    return f"31 24 0:27 {root} {where} rw,nosuid shared:9 - {kind} {kind} {options}\n"


def test_version_2_of_a_process(tmp_path: Path, proc: dict[str, str]) -> None:
    """The nearest above that has one: the controller is not enabled everywhere."""
    second(tmp_path)
    slice_ = second(tmp_path / "a.slice", "1", "1")
    make(tmp_path / "a.slice" / "job" / "step")
    proc["/proc/self/mountinfo"] = mount(2, tmp_path)
    proc["/proc/17/cgroup"] = "0::/a.slice/job/step\n"
    assert Cpuset.of(17).folder == str(slice_)


def test_version_1_of_a_process(tmp_path: Path, proc: dict[str, str]) -> None:
    folder = first(tmp_path / "cpuset" / "a:b", "1", "0")
    proc["/proc/self/mountinfo"] = mount(1, tmp_path / "memory", options="rw,memory") + mount(
        1, tmp_path / "cpuset", options="rw,cpuset,noprefix"
    )
    proc["/proc/17/cgroup"] = "4:memory:/elsewhere\n3:cpu,cpuset:/a:b\n"
    assert Cpuset.of(17).folder == str(folder)
    assert controller_folders(17, "cpuset") == (1, [str(folder), str(tmp_path / "cpuset")])


def test_both_versions_at_once(tmp_path: Path, proc: dict[str, str]) -> None:
    """Hybrid: the controller is where v1 has it, and else in v2."""
    both = mount(1, tmp_path / "cpuset", options="rw,cpuset") + mount(2, tmp_path / "unified")
    second(tmp_path / "unified" / "u")
    folder = first(tmp_path / "cpuset" / "c", "1", "0")
    proc["/proc/self/mountinfo"] = both
    proc["/proc/17/cgroup"] = "3:cpuset:/c\n0::/u\n"
    assert Cpuset.of(17).folder == str(folder)
    proc["/proc/17/cgroup"] = "3:memory:/c\n0::/u\n"
    assert Cpuset.of(17).folder == str(tmp_path / "unified" / "u")
    assert unified_folders(17) == [str(tmp_path / "unified" / "u"), str(tmp_path / "unified")]


def test_a_container_that_sees_its_own_root(tmp_path: Path, proc: dict[str, str]) -> None:
    """Without a cgroup namespace paths are the host's, and the mount starts at the container's."""
    root = second(tmp_path / "a mount", "1", "1")
    job = second(root / "job", "1", "1")
    proc["/proc/self/mountinfo"] = mount(2, root, "/docker/1f")
    proc["/proc/17/cgroup"] = "0::/docker/1f/job\n"
    assert Cpuset.of(17).folder == str(job)
    proc["/proc/17/cgroup"] = "0::/docker/1f\n"
    assert Cpuset.of(17).folder == str(root)


@pytest.mark.parametrize("path", ["/docker/1f0/job", "/elsewhere", "/../outside", "/"])
def test_what_a_container_does_not_see(tmp_path: Path, proc: dict[str, str], path: str) -> None:
    second(tmp_path)
    proc["/proc/self/mountinfo"] = mount(2, tmp_path, "/docker/1f")
    proc["/proc/17/cgroup"] = f"0::{path}\n"
    with pytest.raises(CpusetRefused, match="no cpuset of pid 17 is seen from here") as refused:
        Cpuset.of(17)
    assert refused.value.reason == "no-controller"


def test_nothing_is_mounted(proc: dict[str, str]) -> None:
    proc["/proc/self/mountinfo"] = "1 2 0:1 / /sys rw - sysfs s rw\n"
    proc["/proc/17/cgroup"] = "0::/\n"
    with pytest.raises(CpusetRefused):
        Cpuset.of(17)


@pytest.mark.parametrize(
    ("root", "path", "folder"),
    [
        ("/", "/", "/m"),
        ("/", "/a/b", "/m/a/b"),
        ("/a", "/a", "/m"),
        ("/a", "/a/b", "/m/b"),
        ("/a", "/ab", None),
        ("/a", "/", None),
        ("/", "/../a", None),
        ("/", "/..", None),
        ("/", "/..a", "/m/..a"),
    ],
)
def test_folders(root: str, path: str, folder: str | None) -> None:
    assert Hierarchy(2, "/m", root, ()).folder(path) == folder
