"""What comes back to the bounce address is understood."""

import pytest
from bounce_mail import AUTO_REPLY, EXIM, QMAIL, VERP, complaint, delivery_report

from pipeline.delivery.reports import Report, Sort, read_report


@pytest.mark.parametrize("status", ["5.1.1", "4.2.2", "5.7.1"])
def test_a_delivery_report_tells_the_status_and_to_whom_it_came_back(status: str) -> None:
    assert read_report(delivery_report(status=status)) == Report(Sort.BOUNCE, (VERP,), status=status)


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_a_report_of_no_failure_is_none(action: str) -> None:
    assert read_report(delivery_report(action, "4.0.0")).sort is Sort.OTHER


def test_the_envelope_recipient_counts_where_the_header_does_not_name_it() -> None:
    report = read_report(delivery_report(to="undisclosed-recipients:;"), VERP)
    assert report.addresses == (VERP,)


def test_a_complaint_names_the_envelope_sender_and_the_token_of_the_letter() -> None:
    report = read_report(complaint())
    assert report.sort is Sort.COMPLAINT
    assert report.addresses[0] == VERP
    assert report.tokens == ("AbCdEfGhIjKlMnOp0123456789012345678901",)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "dmarc"])
def test_a_report_about_us_or_one_that_takes_a_complaint_back_is_no_complaint(kind: str) -> None:
    assert read_report(complaint(kind)).sort is Sort.OTHER


def test_an_automatic_answer_is_no_bounce_whatever_it_says() -> None:
    assert read_report(AUTO_REPLY).sort is Sort.OTHER


def test_reports_in_the_ways_of_exim_and_qmail_are_understood() -> None:
    assert read_report(EXIM) == Report(Sort.BOUNCE, (VERP,), status="5.0.0")
    assert read_report(QMAIL) == Report(Sort.BOUNCE, (VERP,))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"To: x\r\n\r\n",
        delivery_report()[:300],
        b"Content-Type: multipart/report; report-type=\r\n\r\n",
    ],
    ids=["empty", "noise", "no sender", "cut short", "no type"],
)
def test_what_is_no_report_or_is_cut_short_is_nothing(raw: bytes) -> None:
    assert read_report(raw).sort is Sort.OTHER
