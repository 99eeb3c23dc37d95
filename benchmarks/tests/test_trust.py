"""Figures out of a report of pytest's."""

from benchmarks.sections.trust import figures


def test_the_largest_of_what_several_tests_recorded_is_kept() -> None:
    report = """<testsuites><testsuite>
      <testcase><properties><property name="slowest" value="1.5"/></properties></testcase>
      <testcase><properties><property name="slowest" value="3"/><property name="what" value="a"/></properties>
      </testcase></testsuite></testsuites>"""
    assert figures(report) == {"slowest": 3.0, "what": "a"}
