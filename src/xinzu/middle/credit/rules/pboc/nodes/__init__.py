"""The report's nodes as types. Each class is one unit or segment; each field names its tag and its Chinese name once.

Amounts are fen here and whole yuan in the document; of an account in another currency they are, as the bureau shows them, converted to
yuan. Months are their first day. What a report does not say is None, a list that it does not have is empty. Classes are in the order of the document.
"""
