"""Every invariant that a ledger can show, in the order in which a person would ask for them."""

from typing import Final

from remediation.verifying import (
    books,
    items,
    lines,
    loyalty,
    mails,
    order,
    privacy,
    runs,
    slots,
    states,
    trail,
    waiting,
)
from remediation.verifying.breach import Check

_COMPARE: Final = "stop sending (makegood mode off) and compare the row with the last backup"
_LOG: Final = "stop sending (makegood mode off): somebody wrote past this program; compare with the last backup"
_LOOK: Final = "look it up at the provider before anything else is sent for it"
_REPORT: Final = "report this as a defect"
_ERASE: Final = "find out how it came there, and forget the customer if it must go"

CHECKS: Final = (
    Check("Every state is one that there is.", _COMPARE, states.known),
    Check("Amounts are integers.", _COMPARE, states.integers),
    Check("No row names another that is not there.", _COMPARE, states.references),
    Check("A slot has one remedy, and a remedy one item of a kind.", _COMPARE, slots.one_each),
    Check("A remedy's id names its slot.", _COMPARE, slots.remedy_ids),
    Check("An item's id names its remedy and kind.", _COMPARE, slots.item_ids),
    Check("The actions of a remedy sum to its amount.", _COMPARE, items.sums),
    Check("An approved remedy is for its order line's customer, in its currency.", _COMPARE, items.owners),
    Check("Who is held out has no credit, and who is compared with them has one.", _COMPARE, loyalty.arms),
    Check("Refunds never exceed what was paid.", _COMPARE, lines.within_paid),
    Check("What is set aside of a price is what its remedies need.", _COMPARE, lines.set_aside),
    Check("Every refund that is to be paid is set aside, and no other.", _COMPARE, lines.reserves),
    Check("An approved remedy has all its items.", _COMPARE, items.are_there),
    Check("No item is there without an approved remedy.", _COMPARE, items.belong),
    Check("An item is of its remedy's amount and currency.", _COMPARE, items.amounts),
    Check("Postings sum to zero in one currency.", _COMPARE, books.balanced),
    Check("A debt is posted for its own order line.", _COMPARE, books.accounts),
    Check("The books say of every refund what the outbox says.", _LOOK, books.posted),
    Check("Spent is what was taken, and within its cap.", _COMPARE, books.spent),
    Check("Every pay-out without a person was counted by a budget.", _REPORT, books.counted),
    Check("Records in are used, duplicate, rejected or late.", "withdraw the run, and make it again", runs.balanced),
    Check("The policy of every run is kept.", "run the night again with the same policy", runs.policies_kept),
    Check("A kept policy is what its digest names.", _COMPARE, runs.policies_whole),
    Check("A remedy was decided under its run's policy.", _REPORT, runs.one_policy),
    Check("The audit log is unbroken.", _LOG, trail.chain),
    Check("The audit log tells how everything began.", _LOG, trail.births),
    Check("Everything is in the state in which the audit log left it.", _LOG, trail.last_words),
    Check("The audit log takes only steps that there are.", _LOG, trail.steps),
    Check("Nothing is begun before its run is released.", _LOOK, order.released_first),
    Check("Nothing is begun in mode off or shadow.", _LOOK, order.mode_obeyed),
    Check("Nothing is begun on a blocked order line.", _LOOK, order.blocks_obeyed),
    Check("A mail follows what it tells of.", _LOOK, order.deeds_before_words),
    Check("A survey has its item, and is its customer's.", _COMPARE, loyalty.belong),
    Check("A survey follows its apology.", _LOOK, loyalty.after_the_apology),
    Check("A customer is asked once in the policy's days.", _REPORT, loyalty.once_a_period),
    Check("Who replied was asked, and the log tells of it.", _LOG, loyalty.replied),
    Check("A Message-ID is one mail's.", _COMPARE, slots.one_mail_each),
    Check("A mail's amounts are the ledger's.", "write to the customer, and report this as a defect", mails.amounts),
    Check("Mails hold neither name nor address.", _ERASE, privacy.mailed),
    Check("Reasons, evidence, tickets and the log hold no address.", _ERASE, privacy.addresses),
    Check("Reasons, evidence and the log hold no name.", _ERASE, privacy.names),
    Check("Of a forgotten customer nothing is left.", "forget the customer once more", privacy.forgotten),
    Check("Nothing is stuck.", "run makegood dispatch, then look at the item", waiting.stuck, warns=True),
    Check("A survey that is to be sent has its text.", "run makegood dispatch", loyalty.written, warns=True),
    Check("Every run comes to its end.", "run the night again, or decide on the run", waiting.unfinished, warns=True),
)
