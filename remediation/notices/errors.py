"""Why a notice can not be written or addressed."""


class NoticeError(ValueError):
    """A notice would be wrong or incomplete, so none is made; a person must look.

    The sentence names remedies, findings and order lines by their ids and
    never holds a name or an address.
    """
