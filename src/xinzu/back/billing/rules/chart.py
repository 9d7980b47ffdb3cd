"""The accounts billing books on. Codes follow the ministry's chart (企业会计准则应用指南, 附录); six digits are our sub-accounts.

Interest that is claimed and not income stands against its claim, on the account the chart has for it: of a loan below interest receivable
(1132), of a finance lease below unearned finance income (1532), because it is not realised before it is paid.
"""

from __future__ import annotations

from xinzu.back.billing.model import ChartLine

BANK = "1002"
CLEARING = "1012"
RECEIVABLE = "1122"
INTEREST_RECEIVABLE = "1132"
INTEREST_ACCRUED = "113201"
INTEREST_SUSPENDED = "113202"
SUPPLIER_RECEIVABLE = "1221"
ALLOWANCE = "1231"
LOAN_PRINCIPAL = "1303"
LOAN_UNDRAWN = "130302"
LOAN_ALLOWANCE = "1304"
LEASED_ASSET = "1461"
LEASE_RECEIVABLE = "1531"
UNEARNED_INCOME = "1532"
LEASE_INCOME_SUSPENDED = "153201"
PAYABLE = "2202"
CREDIT_BALANCE = "2203"
DEFERRED_RENT = "2205"
VAT_PAYABLE = "2221"
VAT_INPUT = "222101"
VAT_PAYABLE_LENDING = "222106"
VAT_DEFERRED = "222110"
PARTNER_PAYABLE = "224101"
RENTAL_INCOME = "6001"
INTEREST_INCOME = "6011"
LEASE_INCOME = "6041"
DAMAGE_INCOME = "605101"
FEE_INCOME = "605102"
SALE_INCOME = "605103"
LATE_FEE_INCOME = "630101"
EARLY_RETURN_INCOME = "630102"
PREPAYMENT_INCOME = "630103"
TERMINATION_RESULT = "630104"
PARTNER_COST = "640102"
CREDIT_LOSS = "6702"

LINES: tuple[ChartLine, ...] = (
    ChartLine(BANK, "银行存款", "Bank", "asset", "debit"),
    ChartLine(CLEARING, "其他货币资金-支付宝待清算", "Cash in clearing, Alipay", "asset", "debit"),
    ChartLine(RECEIVABLE, "应收租金", "Rents receivable", "asset", "debit"),
    ChartLine(INTEREST_RECEIVABLE, "应收利息", "Interest receivable", "asset", "debit"),
    ChartLine(INTEREST_ACCRUED, "应收利息-未到期应计利息", "Interest accrued, not yet due", "asset", "debit"),
    ChartLine(INTEREST_SUSPENDED, "应收利息-未确认利息", "Interest claimed, income when paid", "asset", "credit"),
    ChartLine(SUPPLIER_RECEIVABLE, "其他应收款-供应商贴息", "Subsidies receivable from suppliers", "asset", "debit"),
    ChartLine(ALLOWANCE, "坏账准备", "Allowance for rents and leases", "asset", "credit"),
    ChartLine(LOAN_PRINCIPAL, "贷款-本金", "Loans, principal", "asset", "debit"),
    ChartLine(LOAN_UNDRAWN, "贷款-待放款", "Loans agreed, not yet paid out", "asset", "credit"),
    ChartLine(LOAN_ALLOWANCE, "贷款损失准备", "Allowance for loans", "asset", "credit"),
    ChartLine(LEASED_ASSET, "融资租赁资产", "Assets held for finance lease", "asset", "debit"),
    ChartLine(LEASE_RECEIVABLE, "应收融资租赁款-租赁收款额", "Finance lease receipts to come", "asset", "debit"),
    ChartLine(UNEARNED_INCOME, "应收融资租赁款-未实现融资收益", "Unearned finance lease income", "asset", "credit"),
    ChartLine(
        LEASE_INCOME_SUSPENDED, "应收融资租赁款-已到期未确认融资收益", "Lease income claimed, income when paid", "asset", "credit"
    ),
    ChartLine(PAYABLE, "应付账款-供应商", "Payables to suppliers", "liability", "credit"),
    ChartLine(CREDIT_BALANCE, "预收款-承租人溢缴款", "Credit balances of customers", "liability", "credit"),
    ChartLine(DEFERRED_RENT, "合同负债-已到期未实现租金", "Rents due and not yet earned", "liability", "credit"),
    ChartLine(VAT_PAYABLE, "应交税费-应交增值税(销项税额)13%", "Output VAT payable, 13 %", "liability", "credit"),
    ChartLine(VAT_INPUT, "应交税费-应交增值税(进项税额)", "Input VAT", "liability", "debit"),
    ChartLine(VAT_PAYABLE_LENDING, "应交税费-应交增值税(销项税额)6%", "Output VAT payable, 6 %", "liability", "credit"),
    ChartLine(VAT_DEFERRED, "应交税费-待转销项税额", "Output VAT not yet due", "liability", "credit"),
    ChartLine(PARTNER_PAYABLE, "其他应付款-应付合作方", "Payables to partners", "liability", "credit"),
    ChartLine(RENTAL_INCOME, "租赁收入", "Rental income", "income", "credit"),
    ChartLine(INTEREST_INCOME, "利息收入", "Interest income", "income", "credit"),
    ChartLine(LEASE_INCOME, "租赁收入-融资收益", "Finance lease income", "income", "credit"),
    ChartLine(DAMAGE_INCOME, "其他业务收入-损坏赔偿", "Compensation for damage", "income", "credit"),
    ChartLine(FEE_INCOME, "其他业务收入-手续费", "Fees", "income", "credit"),
    ChartLine(SALE_INCOME, "其他业务收入-买断", "Sales to lessees", "income", "credit"),
    ChartLine(LATE_FEE_INCOME, "营业外收入-滞纳金", "Late fees", "income", "credit"),
    ChartLine(EARLY_RETURN_INCOME, "营业外收入-提前退租违约金", "Early return fees", "income", "credit"),
    ChartLine(PREPAYMENT_INCOME, "营业外收入-提前还款违约金", "Prepayment fees", "income", "credit"),
    ChartLine(TERMINATION_RESULT, "营业外收入-融资租赁解除损益", "Result of terminated finance leases", "income", "credit"),
    ChartLine(PARTNER_COST, "主营业务成本-合作方分成", "Shares of partners", "expense", "debit"),
    ChartLine(CREDIT_LOSS, "信用减值损失", "Expected credit losses", "expense", "debit"),
)
