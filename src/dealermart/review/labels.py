"""Sentences, titles and terms of workbooks and packs, in English and in Chinese side by side."""

from __future__ import annotations

from dealermart.review.words import Language, pick

# Of each sheet: its name (at most 31 signs), title and note.
SHEETS: dict[str, tuple[tuple[str, str], tuple[str, str], tuple[str, str]]] = {
    "cover": (("Cover", "封面"), ("Quarterly review {period}", "{period} 季度绩效考核"), ("", "")),
    "summary": (
        ("Summary", "汇总"),
        ("Summary of {period}", "{period} 汇总"),
        ("Means are taken over those who are rated; who is not rated is counted beside.", "平均分只计已评级人员；未评级人数另列。"),
    ),
    "results": (
        ("Results", "考核结果"),
        ("Results by member", "各员工考核结果"),
        ("Everybody due a review has a row. An empty score was not measured; it is never 0.", "每位应考核人员均有一行。得分为空表示未测得，绝非 0 分。"),
    ),
    "scorecards": (
        ("Scorecards", "评分明细"),
        ("Scorecards, line by line", "逐项评分"),
        ("One row per member, part and criterion: value, target, score, weight, sample, interval.", "每位员工、部分、考核项一行：数值、目标、得分、权重、样本、区间。"),
    ),
    "goals": (
        ("Goals", "目标进度"),
        ("Goals", "目标进度"),
        ("A goal with goals below it has the mean of their progress; archived goals are left out.", "上级目标的进度为下级目标进度的平均值；归档目标不计。"),
    ),
    "inputs": (
        ("Inputs", "评价记录"),
        ("What people said", "人员评价"),
        ("Peers and dealers are not named; below the group size their words are not shown.", "同事与经销商不具名；人数低于下限时不显示内容。"),
    ),
    "calibration": (
        ("Calibration", "校准"),
        ("Those who rate: leniency and spread", "评价人：宽严与离散度"),
        ("For discussion; no score is changed by it. Who rates the own team only may have better or worse people.", "供讨论，不改变任何得分。仅评本团队者，其团队可能确实更好或更差。"),
    ),
    "proposals": (
        ("Proposals", "校准建议"),
        ("Proposals to talk over", "待讨论的校准建议"),
        ("The score itself stays as it is.", "得分本身保持不变。"),
    ),
    "distribution": (
        ("Distribution", "等级分布"),
        ("Ratings against the guideline", "等级分布与指引"),
        ("A guideline, not a quota. A small group is not judged by it.", "指引不是配额；小样本不作判断。"),
    ),
    "nine_box": (
        ("Nine-box", "九宫格"),
        ("Performance and potential", "绩效与潜力"),
        ("Performance is the final score, potential the mean of the managers' ratings.", "绩效为最终得分，潜力为上级评分的平均值。"),
    ),
    "appeals": (
        ("Appeals", "申诉"),
        ("Appeals to their decision", "申诉及裁定"),
        ("A changed score keeps both values.", "改分后前后两个得分均保留。"),
    ),
    "feedback": (
        ("Feedback", "结果反馈"),
        ("Delivery and acknowledgement", "结果反馈与确认"),
        ("Days are counted from the quarter's end to delivery, from delivery to acknowledgement.", "反馈用时自季度结束起算，确认用时自反馈之日起算。"),
    ),
    "overdue": (("Overdue", "逾期"), ("What managers owe", "各上级逾期事项"), ("", "")),
    "follow_up": (
        ("Follow-up", "跟进"),
        ("Improvements and career talks", "改进事项与职业面谈"),
        ("Agreed in the quarter and followed to their end.", "本季度约定的事项，跟进至结束。"),
    ),
    "career": (
        ("Career", "职业发展"),
        ("On the career ladder", "职级阶梯"),
        ("Readiness for the next grade, with what is missing; proposals of incentive plans stand beside.", "上一职级的具备程度与尚缺条件；激励方案的晋升建议并列。"),
    ),
    "conditions": (("Conditions", "晋升条件"), ("Conditions of the next grade", "上一职级的条件"), ("", "")),
    "training": (
        ("Training", "培训"),
        ("Training plan", "培训计划"),
        ("As of the build, for members in force: gaps by topic and the course proposed.", "截至数据生成时的在职人员：各主题差距与建议课程。"),
    ),
    "recognition": (("Recognition", "表彰"), ("Awards of the quarter", "本季度表彰"), ("", "")),
    "pay": (
        ("Pay", "薪酬"),
        ("Incentives of the quarter", "本季度激励薪酬"),
        ("By member, plan and period of pay; amounts in two currencies are never added.", "按员工、方案与计薪期；不同币种不相加。"),
    ),
    "fairness": (
        ("Fairness", "公平性"),
        ("Groups side by side", "分组比较"),
        ("A difference is a question, not a finding. Groups below the company's size are not shown.", "差异是疑问而非结论。低于公司人数下限的组不予显示。"),
    ),
}  # fmt: skip

LABELS: dict[str, tuple[str, str]] = {
    # cover
    "company": ("Company", "公司"),
    "quarter": ("Quarter", "季度"),
    "quarter_of": ("{period}: {start} to {end}", "{period}：{start} 至 {end}"),
    "as_of": ("Data as of (UTC)", "数据截至（UTC）"),
    "published_run": ("Published by run", "发布批次"),
    "code_version": ("Version of the program", "程序版本"),
    "version": ("Version of the review", "考核版本"),
    "not_frozen": ("working state, not frozen", "工作状态，未冻结"),
    "readers": ("Readers", "读者"),
    "for_hr": ("HR only: reviews of people; do not pass it on", "仅限人力资源：含个人考核，请勿转发"),
    "with_pay": ("HR only: reviews and pay of people; do not pass it on", "仅限人力资源：含个人考核与薪酬，请勿转发"),
    "not_here": ("This copy does not hold it.", "本副本不含此数据。"),
    "nothing": ("Nothing in this quarter.", "本季度无记录。"),
    "totals": ("Control totals", "控制合计"),
    "totals_note": ("What each sheet holds against the mart that it was made from.", "各工作表与来源数据表的核对。"),
    "ties": ("ok", "一致"),
    "differs": ("differs", "不一致"),
    "terms": ("Terms", "术语"),
    "templates": ("What counts", "考核构成"),
    "templates_note": ("By template: parts with their weight in the total, criteria with their weight in the part.", "按模板：各部分占总分的权重，各考核项占部分的权重。"),
    "kpis": ("KPIs behind the criteria", "考核项所用指标"),
    "template": ("Template", "模板"),
    # summary
    "figures": ("At a glance", "概览"),
    "due": ("Members due a review", "应考核人数"),
    "rated": ("Rated", "已评级"),
    "not_rated": ("Not rated", "未评级"),
    "mean_final": ("Mean final score", "平均最终得分"),
    "self_missing": ("Self-assessments missing", "缺少自评"),
    "delivered": ("Results delivered", "已反馈结果"),
    "acknowledged": ("Acknowledged", "已确认"),
    "appeals": ("Appeals", "申诉"),
    "changed": ("Scores changed on appeal", "申诉改分"),
    "by_rating": ("Ratings", "等级分布"),
    "by_role": ("By role", "按岗位"),
    "by_team": ("By team", "按团队"),
    "by_quarter": ("Over time", "历季趋势"),
    "chart_ratings": ("Ratings, share of those rated", "等级占比"),
    "chart_guideline": ("Guideline", "指引"),
    "chart_share": ("Share", "占比"),
    "chart_teams": ("Mean final score by team", "各团队平均最终得分"),
    "chart_trend": ("Mean final score by quarter", "各季度平均最终得分"),
    "chart_leniency": ("Leniency of managers, points against the others", "上级宽严（与他人之差，分）"),
    "chart_box": ("Performance (across) and potential (up)", "绩效（横轴）与潜力（纵轴）"),
    "performance": ("Performance", "绩效"),
    "potential": ("Potential", "潜力"),
    "chart_readiness": ("Readiness for the next grade", "上一职级具备程度"),
    "chart_overdue": ("Overdue by manager", "各上级逾期事项"),
    "chart_fair_score": ("Mean final score by group", "各组平均最终得分"),
    "chart_fair_pay": ("Median incentive pay by group", "各组激励薪酬中位数"),
    "more": ("and {count} more", "另 {count} 人"),
    "sum_of": ("sum of: {column}", "合计：{column}"),
    "rows_only": ("rows only", "仅行数"),
}  # fmt: skip

TERMS: tuple[tuple[tuple[str, str], tuple[str, str]], ...] = (
    (("Part", "部分"), ("KPIs and goals, and what the member, managers, peers and dealers say. The total is the mean of the parts present by weight; those missing are named.", "指标与目标，以及本人、上级、同事、经销商的评价。总分为已有各部分按权重的平均，缺失部分列明。")),
    (("Not rated", "未评级"), ("Less than the template's smallest weight could be scored. Nothing missing counts as 0.", "可评权重低于模板下限。缺失不计 0 分。")),
    (("Final score", "最终得分"), ("The score after decided appeals, from 0 to 100. The score before stands beside.", "申诉裁定后的得分，0 至 100 分；申诉前得分并列。")),
    (("Rank", "排名"), ("Place by final score among those rated; equal scores share a place and the next one is skipped.", "已评级人员中按最终得分的名次；同分同名次，其后名次跳过。")),
    (("Interval", "区间"), ("95 % interval of a value that is a share or a mean; the method is named.", "占比或平均值的 95% 区间，注明方法。")),
    (("Leniency", "宽严"), ("A rater's mean less that of the other raters of the kind, in points. It is talked over, never corrected in silence.", "评价人平均分与同类其他评价人之差（分）。供讨论，绝不暗中修正。")),
    (("Nine-box", "九宫格"), ("Performance and potential in three bands each; 9 is high in both.", "绩效与潜力各分三档；9 为双高。")),
    (("Four fifths", "五分之四"), ("A group's share of those selected by that of the group with the highest share; below 0.8 is worth a look.", "某组入选率与最高组入选率之比；低于 0.8 值得关注。")),
    (("Suppressed", "不予显示"), ("Groups of fewer people than the company's group size are not shown.", "人数低于公司下限的组不予显示。")),
)  # fmt: skip


def label(key: str, language: Language, **given: object) -> str:
    """A label with its figures filled in."""
    return pick(LABELS[key], language).format(**given)


def sheet_name(key: str, language: Language) -> str:
    """The name of a sheet."""
    return pick(SHEETS[key][0], language)
